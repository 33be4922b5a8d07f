"""Configuration of UniAct."""

import math
from dataclasses import dataclass, field
from typing import Literal

from ambidex.codec import YOUNGER
from ambidex.errors import UsageError
from ambidex.policies.uniact.extractor.llava_shape import LlavaShape
from ambidex.policies.uniact.extractor.scratch_shape import ScratchShape
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
    blind_weight: float = field(default=0.0, metadata={YOUNGER: True})
    """Weight of Huber's loss of actions made of the universal action alone, which gives codes a meaning. 0 as
    published, where interpreters that see much come to do without codes."""
    information_weight: float = field(default=0.0, metadata={YOUNGER: True})
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
