"""ACT's named settings."""

from dataclasses import replace

from ambidex.errors import UnknownNameError
from ambidex.policies.act.config import ActConfig
from ambidex.policies.preset import Preset, TrainingDefaults

PAPER = Preset(
    config=ActConfig(),
    training=TrainingDefaults(
        steps=10_000,
        batch_size=8,
        learning_rate=1e-5,
        backbone_learning_rate=1e-5,
        weight_decay=1e-4,
        warmup_steps=0,
        schedule="constant",
        gradient_clip=0.0,
        ema_decay=0.0,
    ),
)
BASE = Preset(
    config=ActConfig(d_model=256),
    training=TrainingDefaults(
        steps=50_000,
        batch_size=8,
        learning_rate=1e-4,
        backbone_learning_rate=1e-5,
        weight_decay=1e-4,
        warmup_steps=500,
        schedule="cosine",
        gradient_clip=10.0,
        ema_decay=0.0,
    ),
)
TINY = Preset(
    config=ActConfig(
        d_model=128,
        heads=4,
        feedforward=512,
        execute_steps=50,
        encoder_layers=3,
        cvae_layers=1,
        dropout=0.0,
        backbone_width=16,
        backbone_norm="group",
        backbone_weights="none",
    ),
    training=TrainingDefaults(
        steps=8_000,
        batch_size=32,
        learning_rate=5e-4,
        backbone_learning_rate=5e-4,
        weight_decay=1e-4,
        warmup_steps=200,
        schedule="cosine",
        gradient_clip=10.0,
        ema_decay=0.999,
    ),
)
TINY_STATE = Preset(  # poses are exact to a millimetre, which bf16 rounds away; what is played is what is predicted
    config=replace(TINY.config, observations="state", chunk_size=50),
    training=replace(TINY.training, steps=12_000, precision="fp32"),
)
PRESETS = {"paper": PAPER, "base": BASE, "tiny": TINY}


def preset(name: str, observations: str | None = None) -> Preset[ActConfig]:
    """A complete setting.

    Args:
        name: "paper", "base" or "tiny".
        observations: "images" or "state"; None for the preset's own.

    Raises:
        UnknownNameError: No such preset, or no such kind of observation.
    """
    if name not in PRESETS:
        raise UnknownNameError("preset of act", name, PRESETS)
    chosen = PRESETS[name]
    if observations == "state":
        return TINY_STATE if chosen is TINY else replace(chosen, config=replace(chosen.config, observations="state"))
    if observations not in (None, "images"):
        raise UnknownNameError("kind of observation", observations, ("images", "state"))
    return chosen
