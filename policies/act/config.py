"""Settings of ACT, and its presets."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from ambidex.codec import ADDED_LATER
from ambidex.errors import UnknownNameError, UsageError, check_name
from ambidex.policies.registry import Preset, TrainingDefaults

ObservationKind = Literal["images", "state"]
CameraTokens = Literal["grid", "pooled"]
BackboneNorm = Literal["frozen", "group", "layer"]
NOT_NEGATIVE = ("execute_steps", "kl_weight", "padding_weight")
COUNTS = ("chunk_size", "feedforward", "encoder_layers", "decoder_layers", "cvae_layers", "latent", "backbone_width")


@dataclass(frozen=True, kw_only=True)
class ActConfig:
    """Inputs, sizes and loss weights of ACT. The defaults are the original's.

    Raises:
        UsageError: The values do not go together.
    """

    help_topics: ClassVar[Mapping[str, str]] = {
        "Policy": "observations cameras chunk_size execute_steps backbone_weights"
    }

    observations: ObservationKind = "images"
    """images, or state for object poses instead of cameras."""
    cameras: tuple[str, ...] = ()
    """Cameras to use; by default all of the data."""
    chunk_size: int = 100
    """Actions per prediction."""
    execute_steps: int = 0
    """Actions of a chunk to execute before the next prediction; 0 executes all. A benchmark can override it."""
    d_model: int = 512
    """Width of tokens."""
    heads: int = 8
    """Attention heads."""
    feedforward: int = 3200
    """Hidden width of feed-forward layers."""
    encoder_layers: int = 4
    """Layers of the encoder."""
    decoder_layers: int = 1
    """Layers of the decoder. The original builds 7 and uses the output of the first; here the last is used."""
    cvae_layers: int = 4
    """Layers of the CVAE encoder."""
    latent: int = 32
    """Dimensions of the latent variable."""
    dropout: float = 0.1
    """Share of activations dropped in training."""
    kl_weight: float = 10.0
    """Loss weight of the KL divergence."""
    padding_weight: float = 0.0
    """Loss weight of predicting which actions lie beyond the end; 0 leaves out that head."""
    backbone_width: int = 64
    """Channels of ResNet-18's first layers; 64 as published."""
    backbone_norm: BackboneNorm = "frozen"
    """frozen batch norm for published weights; group or layer norm to train from scratch, where layer is faster."""
    backbone_weights: str = "cached"
    """A .safetensors or .pth file with weights of ResNet-18, cached for torchvision's ImageNet file in torch's cache,
    or none to train from scratch. An error if a file is needed and missing."""
    camera_tokens: CameraTokens = "grid"
    """grid makes every cell of a camera's feature map a token; pooled makes 6x6, 4x4 or 2x2 by the camera's role."""
    camera_attention: bool = False
    """Attention between cameras of different roles. Implies pooled tokens."""
    camera_roles: tuple[str, ...] = ()
    """Roles of further cameras: NAME=wrist_detail, NAME=wrist_context or NAME=global_overview."""
    instructions: tuple[str, ...] = field(default=(), metadata={ADDED_LATER: True})
    """Instructions that the policy tells apart; by default those of the data, if there are several."""

    def __post_init__(self) -> None:
        for name in COUNTS:
            if getattr(self, name) < 1:
                raise self._error(name, "1 or more")
        for name in NOT_NEGATIVE:
            if not 0 <= getattr(self, name) < math.inf:
                raise self._error(name, "0 or more")
        if self.heads < 1 or self.d_model % self.heads or self.d_model % 4:
            raise self._error("d_model", f"a multiple of 4 and of heads ({self.heads})")
        if not 0 <= self.dropout < 1:
            raise self._error("dropout", "at least 0 and less than 1")
        if self.observations == "state" and self.cameras:
            problem = f"ACT: --observations state uses no cameras, but --cameras {' '.join(self.cameras)} is given."
            raise UsageError(problem, "Leave out one of the two.", field="cameras")
        if len(set(self.instructions)) < len(self.instructions):
            problem = f"ACT: --instructions names one twice: {'; '.join(self.instructions)}."
            raise UsageError(problem, "Name each once.", field="instructions")

    @property
    def pools_cameras(self) -> bool:
        """Whether each camera gives a small grid of tokens."""
        return self.camera_attention or self.camera_tokens == "pooled"

    def _error(self, name: str, expected: str) -> UsageError:
        value = getattr(self, name)
        return UsageError(f"ACT: {name} must be {expected}, got {value}.", field=name, got=value, expected=expected)


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
    training=replace(
        PAPER.training, steps=50_000, learning_rate=1e-4, warmup_steps=500, schedule="cosine", gradient_clip=10.0
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
    training=replace(
        BASE.training,
        steps=8_000,
        batch_size=32,
        learning_rate=5e-4,
        backbone_learning_rate=5e-4,
        warmup_steps=200,
        ema_decay=0.999,
    ),
)
TINY_STATE = Preset(  # poses are exact to a millimetre, which bf16 rounds away; the whole chunk is executed
    config=replace(TINY.config, observations="state", chunk_size=50),
    training=replace(TINY.training, steps=12_000, precision="fp32"),
)
PRESETS = {"paper": PAPER, "base": BASE, "tiny": TINY}


def preset(name: str, observations: str | None = None) -> Preset[ActConfig]:
    """A preset of ACT, "paper", "base" or "tiny", for observations "images" or "state"; None for the preset's own.

    Raises:
        UnknownNameError: No such preset, or no such kind of observation.
    """
    check_name("preset of act", name, PRESETS)
    chosen = PRESETS[name]
    if observations == "state":
        return TINY_STATE if chosen is TINY else replace(chosen, config=replace(chosen.config, observations="state"))
    if observations not in (None, "images"):
        raise UnknownNameError("kind of observation", observations, ("images", "state"))
    return chosen
