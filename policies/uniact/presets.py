"""UniAct's named settings."""

from dataclasses import replace

from ambidex.errors import UnknownNameError, UsageError
from ambidex.policies.preset import Preset, TrainingDefaults
from ambidex.policies.uniact.config import UniActConfig
from ambidex.policies.uniact.extractor.scratch_shape import ScratchShape

PAPER = Preset(
    config=UniActConfig(),
    training=TrainingDefaults(
        steps=1_000_000,
        batch_size=32,
        learning_rate=1e-5,
        backbone_learning_rate=1e-5,
        weight_decay=0.0,
        warmup_steps=0,
        schedule="constant",
        gradient_clip=1.0,
        ema_decay=0.0,
    ),
)
LLAVA = Preset(  # LLaVA-OneVision in reach of one GPU, for the rates of this project's robots
    config=UniActConfig(chunk_size=50, execute_steps=25, temperature_steps=100_000),
    training=replace(PAPER.training, steps=100_000, learning_rate=1e-4, warmup_steps=1_000, schedule="cosine"),
)
BASE = Preset(
    config=UniActConfig(
        extractor="scratch",
        scratch=ScratchShape(image_size=192, width=384, layers=8, heads=6, vocabulary=1024),
        temperature_steps=100_000,
        blind_weight=0.3,
        information_weight=2e-3,
        chunk_size=50,
        execute_steps=25,
        d_model=256,
        feedforward=1024,
        backbone_norm="group",
        backbone_weights="none",
    ),
    training=TrainingDefaults(
        steps=100_000,
        batch_size=64,
        learning_rate=2e-4,
        backbone_learning_rate=2e-4,
        weight_decay=1e-4,
        warmup_steps=1_000,
        schedule="cosine",
        gradient_clip=1.0,
        ema_decay=0.999,
    ),
)
TINY = Preset(
    config=UniActConfig(
        extractor="scratch",
        codes=64,
        blind_weight=0.3,
        information_weight=2e-3,
        temperature_steps=8_000,
        chunk_size=50,
        execute_steps=25,
        d_model=128,
        heads=4,
        feedforward=512,
        encoder_layers=2,
        decoder_layers=1,
        backbone_width=16,
        backbone_norm="group",
        backbone_weights="none",
    ),
    training=replace(
        BASE.training,
        steps=8_000,
        batch_size=32,
        learning_rate=5e-4,
        backbone_learning_rate=5e-4,
        warmup_steps=200,
        gradient_clip=10.0,
    ),
)
PRESETS = {"paper": PAPER, "llava_ov_0.5b": LLAVA, "base": BASE, "tiny": TINY}


def preset(name: str, observations: str | None = None) -> Preset[UniActConfig]:
    """A complete setting.

    Args:
        name: "paper", "llava_ov_0.5b", "base" or "tiny".
        observations: "images", or None for the same.

    Raises:
        UnknownNameError: No such preset.
        UsageError: Another kind of observation.
    """
    if name not in PRESETS:
        raise UnknownNameError("preset of uniact", name, PRESETS)
    if observations not in (None, "images"):
        raise UsageError(f"--observations {observations}: uniact looks at images. Leave the flag out.")
    return PRESETS[name]
