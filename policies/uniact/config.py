"""Configuration of UniAct."""

import math
from dataclasses import dataclass, field, replace
from typing import Literal

from ambidex.codec import ADDED_LATER
from ambidex.errors import UnknownNameError, UsageError
from ambidex.policies.registry import Preset, TrainingDefaults
from ambidex.policies.uniact.extractor.llava_config import LlavaShape
from ambidex.policies.uniact.extractor.scratch import ScratchShape
from ambidex.policies.vision.resnet import Norm

ExtractorKind = Literal["scratch", "llava_ov"]
AttentionKind = Literal["auto", "sdpa", "flash_attention_2", "eager"]
COUNTS = (
    "codes code_width temperature_steps chunk_size heads feedforward encoder_layers decoder_layers backbone_width"
).split()
POSITIVE = ("temperature_start", "temperature_end", "huber_delta")
NOT_NEGATIVE = ("uniform_weight", "blind_weight", "information_weight", "execute_steps")


@dataclass(frozen=True, kw_only=True)
class UniActConfig:
    """What UniAct looks at, its sizes and the weights of its loss. The defaults are the published ones.

    Raises:
        UsageError: The sizes do not go together.
    """

    extractor: ExtractorKind = "llava_ov"
    """llava_ov for LLaVA-OneVision, scratch for a transformer of our own that needs no weights."""
    scratch: ScratchShape = field(default=ScratchShape())
    """Sizes of the extractor that is trained from scratch."""
    llava: LlavaShape = field(default=LlavaShape())
    """Sizes of LLaVA-OneVision."""
    extractor_weights: str = "cached"
    """A folder with LLaVA-OneVision's weights; cached takes those in the user's Hugging Face cache, and is refused if
    they are not there; none starts from scratch."""
    attention: AttentionKind = "auto"
    """How LLaVA-OneVision attends; auto is flash_attention_2 where it is installed and can be used, else sdpa."""
    cameras: tuple[str, ...] = ()
    """Cameras the interpreter looks at; none given: all of the data."""
    main_camera: str = ""
    """The camera the extractor looks at, one that the data of every robot have; none given, or '': the first of each
    robot's."""
    codes: int = 256
    """Codes of the codebook."""
    code_width: int = 128
    """Numbers in a code."""
    temperature_start: float = 2.0
    """Temperature of the draw of codes before the first training step."""
    temperature_end: float = 0.5
    """Temperature in the end."""
    temperature_steps: int = 1_000_000
    """Training steps over which the temperature falls."""
    uniform_weight: float = 5e-4
    """Weight of the codes' divergence from uniform use; the released code forgets to add it, as 0 does."""
    blind_weight: float = field(default=0.0, metadata={ADDED_LATER: True})
    """Weight of Huber's loss of actions made of the universal action alone, which gives codes a meaning. 0 as
    published, where interpreters that see much come to do without codes."""
    information_weight: float = field(default=0.0, metadata={ADDED_LATER: True})
    """Weight of what codes say about image and instruction: their use spread out over a batch, each choice certain. 0
    as published, where small extractors come to use a handful of codes."""
    interpreter: str = "auto"
    """What makes actions of universal ones; auto is a transformer in the sizes of the data. One name holds for all
    robots of a policy, so of several robots auto alone fits those that differ in cameras, joints or actions."""
    chunk_size: int = 4
    """Actions predicted at once, for all robots of a policy: at another control rate they last another time."""
    execute_steps: int = 0
    """Actions of a chunk that are played before the next one is asked for, at most the chunk; 0 plays it whole. A
    benchmark can differ."""
    d_model: int = 512
    """Width of the interpreter's tokens."""
    heads: int = 8
    """Its attention heads."""
    feedforward: int = 2048
    """Hidden width of its feed-forward layers."""
    encoder_layers: int = 4
    """Layers of its encoder."""
    decoder_layers: int = 2
    """Layers of its decoder."""
    huber_delta: float = 0.1
    """Where the loss of an action goes over from a square to a line, in standard deviations."""
    backbone_width: int = 64
    """Channels of ResNet-18's first layers; 64 as published."""
    backbone_norm: Norm = "frozen"
    """frozen batch norm for published weights; group or layer norm to learn from scratch, layer being the quicker."""
    backbone_weights: str = "cached"
    """A .safetensors or .pth file with ResNet-18's first weights; cached takes torchvision's ImageNet file from torch's
    cache, and is refused if it is needed and not there; none starts from scratch."""

    def __post_init__(self) -> None:
        for name in COUNTS:
            if getattr(self, name) < 1:
                raise UsageError(f"UniAct: {name} must be 1 or more, got {getattr(self, name)}.")
        for name in NOT_NEGATIVE:
            if not 0 <= getattr(self, name) < math.inf:
                raise UsageError(f"UniAct: {name} must be 0 or more, got {getattr(self, name)}.")
        for name in POSITIVE:
            if not 0 < getattr(self, name) < math.inf:
                raise UsageError(f"UniAct: {name} must be more than 0, got {getattr(self, name)}.")
        if self.d_model % self.heads or self.d_model % 4:
            raise UsageError(
                f"UniAct: d_model must be a multiple of heads and of 4, got d_model {self.d_model} and heads "
                f"{self.heads}."
            )


# FOLDED policies.uniact.presets: UniAct's named settings.

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
