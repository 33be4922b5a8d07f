"""Settings of UniAct, and its presets."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from ambidex.codec import ADDED_LATER
from ambidex.errors import UsageError, check_name
from ambidex.policies.registry import Preset, TrainingDefaults
from ambidex.policies.vision.resnet import Norm
from ambidex.policies.vision_language.llava import LlavaShape
from ambidex.policies.vision_language.scratch import ScratchShape

ExtractorKind = Literal["scratch", "llava_ov"]
AttentionKind = Literal["auto", "sdpa", "flash_attention_2", "eager"]
COUNTS = (
    "codes code_width temperature_steps chunk_size heads feedforward encoder_layers decoder_layers backbone_width"
).split()
POSITIVE = ("temperature_start", "temperature_end", "huber_delta")
NOT_NEGATIVE = ("uniform_weight", "blind_weight", "information_weight", "execute_steps")


@dataclass(frozen=True, kw_only=True)
class UniActConfig:
    """Inputs, sizes and loss weights of UniAct. The defaults are the published ones.

    Raises:
        UsageError: The values do not go together.
    """

    help_topics: ClassVar[Mapping[str, str]] = {
        "Policy": "extractor extractor_weights cameras main_camera codes chunk_size execute_steps backbone_weights"
    }

    extractor: ExtractorKind = "llava_ov"
    """llava_ov for LLaVA-OneVision, scratch for a transformer that needs no pretrained weights."""
    scratch: ScratchShape = field(default=ScratchShape())
    """Sizes of the extractor that is trained from scratch."""
    llava: LlavaShape = field(default=LlavaShape())
    """Sizes of LLaVA-OneVision."""
    extractor_weights: str = "cached"
    """Folder with LLaVA-OneVision's weights, cached for those in the user's Hugging Face cache, or none to train from
    scratch. An error if they are missing."""
    attention: AttentionKind = "auto"
    """Attention of LLaVA-OneVision; auto is flash_attention_2 where it is installed and supported, else sdpa."""
    cameras: tuple[str, ...] = ()
    """Cameras of the interpreter; by default all of the data."""
    main_camera: str = ""
    """Camera of the extractor, which the data of every embodiment must have; '' is the first one of each."""
    codes: int = 256
    """Codes of the codebook."""
    code_width: int = 128
    """Dimensions of a code."""
    temperature_start: float = 2.0
    """Temperature of the Gumbel-softmax over codes before the first training step."""
    temperature_end: float = 0.5
    """Temperature in the end."""
    temperature_steps: int = 1_000_000
    """Training steps over which the temperature falls."""
    uniform_weight: float = 5e-4
    """Loss weight of the codes' divergence from uniform use; the released code omits this term, as 0 does."""
    blind_weight: float = field(default=0.0, metadata={ADDED_LATER: True})
    """Loss weight of predicting actions from the universal action alone, which gives codes a meaning. 0 as published,
    where interpreters that use images may learn to ignore codes."""
    information_weight: float = field(default=0.0, metadata={ADDED_LATER: True})
    """Weight of the information of codes about image and instruction: many codes used in a batch, each choice certain.
    0 as published, where small extractors end up with a handful of codes."""
    interpreter: str = "auto"
    """Interpreter of universal actions; auto is a transformer in the sizes of the data. One name holds for all
    embodiments of a policy, so embodiments that differ in cameras, joints or actions need auto."""
    chunk_size: int = 4
    """Actions per prediction, for all embodiments of a policy. Their duration depends on the control rate."""
    execute_steps: int = 0
    """Actions of a chunk to execute before the next prediction; 0 executes all. A benchmark can override it."""
    d_model: int = 512
    """Width of the interpreter's tokens."""
    heads: int = 8
    """Attention heads of the interpreter."""
    feedforward: int = 2048
    """Hidden width of its feed-forward layers."""
    encoder_layers: int = 4
    """Layers of its encoder."""
    decoder_layers: int = 2
    """Layers of its decoder."""
    huber_delta: float = 0.1
    """Error at which the action loss changes from quadratic to linear, in standard deviations."""
    backbone_width: int = 64
    """Channels of ResNet-18's first layers; 64 as published."""
    backbone_norm: Norm = "frozen"
    """frozen batch norm for published weights; group or layer norm to train from scratch, where layer is faster."""
    backbone_weights: str = "cached"
    """A .safetensors or .pth file with weights of ResNet-18, cached for torchvision's ImageNet file in torch's cache,
    or none to train from scratch. An error if a file is needed and missing."""

    def __post_init__(self) -> None:
        for name in COUNTS:
            if getattr(self, name) < 1:
                raise self._error(name, "1 or more")
        for name in NOT_NEGATIVE:
            if not 0 <= getattr(self, name) < math.inf:
                raise self._error(name, "0 or more")
        for name in POSITIVE:
            if not 0 < getattr(self, name) < math.inf:
                raise self._error(name, "more than 0")
        if self.d_model % self.heads or self.d_model % 4:
            raise self._error("d_model", f"a multiple of 4 and of heads ({self.heads})")

    def _error(self, name: str, expected: str) -> UsageError:
        value = getattr(self, name)
        return UsageError(f"UniAct: {name} must be {expected}, got {value}.", field=name, got=value, expected=expected)


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
LLAVA = Preset(  # LLaVA-OneVision on one GPU, for the control rates of this project's robots
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
    training=replace(
        LLAVA.training,
        batch_size=64,
        learning_rate=2e-4,
        backbone_learning_rate=2e-4,
        weight_decay=1e-4,
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
    """A preset of UniAct, "paper", "llava_ov_0.5b", "base" or "tiny", for observations "images" or None.

    Raises:
        UnknownNameError: No such preset.
        UsageError: Another kind of observation.
    """
    check_name("preset of uniact", name, PRESETS)
    if observations not in (None, "images"):
        problem = f"--observations {observations}: uniact uses images."
        raise UsageError(problem, "Leave out the flag.", field="observations", got=observations)
    return PRESETS[name]
