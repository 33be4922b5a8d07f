"""Settings of RoboVLMs, and its presets."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from ambidex.codec import ADDED_LATER
from ambidex.errors import UsageError, check_name
from ambidex.policies.registry import Preset, TrainingDefaults
from ambidex.policies.training.large_models.settings import TrainedWeights

StructureKind = Literal["one_step_discrete", "one_step_continuous", "interleaved_continuous", "policy_head_continuous"]
HeadKind = Literal["auto", "fc", "lstm", "transformer", "flow", "discrete"]
AttentionKind = Literal["auto", "sdpa", "flash_attention_2", "eager"]

HEADS: Mapping[StructureKind, tuple[HeadKind, ...]] = {
    "one_step_discrete": ("discrete",),
    "one_step_continuous": ("fc", "flow"),
    "interleaved_continuous": ("fc", "lstm", "transformer", "flow"),
    "policy_head_continuous": ("lstm", "transformer", "flow"),
}
"""The heads that go with each structure, the one of "auto" first."""
ONE_STEP: tuple[StructureKind, ...] = ("one_step_discrete", "one_step_continuous")
COUNTS = "history stride chunk_size bins head_width head_layers head_heads flow_steps".split()
NOT_NEGATIVE = ("gripper_weight", "execute_steps")
SHARES = ("history_dropout", "proprioception_dropout")


@dataclass(frozen=True, kw_only=True)
class RoboVlmsConfig(TrainedWeights):
    """Backbone, structure, head and action space, which are chosen independently. The defaults are the published ones.

    Raises:
        UsageError: The values do not go together.
    """

    help_topics: ClassVar[Mapping[str, str]] = {
        "Policy": "backbone backbone_size backbone_weights structure head history stride cameras chunk_size "
        "execute_steps"
    }

    backbone: str = "kosmos2"
    """Vision-language model: kosmos2, paligemma, llava_onevision, qwen2_5_vl, smolvlm, one that another distribution
    registers, or scratch, which needs no pretrained weights."""
    backbone_size: str = "published"
    """Its size: published, or a smaller one to train from scratch."""
    backbone_weights: str = ""
    """Folder with its published weights, or none to train from scratch; required except for scratch."""
    attention: AttentionKind = "auto"
    """Its attention; auto is flash_attention_2 where it is installed and supported, else sdpa."""
    structure: StructureKind = "policy_head_continuous"
    """How observations and actions meet the backbone. one_step: the newest observation alone; interleaved: all of the
    window in one sequence; policy_head: each alone, then related by the head. discrete: actions are tokens."""
    head: HeadKind = "auto"
    """What makes actions of the backbone's states: fc for one observation, lstm or transformer over the window, flow
    for flow matching, discrete for tokens. auto is discrete, fc, or lstm with policy_head."""
    history: int = 16
    """Observations in the window, H: the newest one and earlier ones. 1 with the structures one_step."""
    stride: int = 1
    """Control steps between two observations of the window."""
    history_dropout: float = 0.0
    """Share of the windows of a training step that keep the newest observation only. A policy head then encodes as much
    fewer images, and has time for larger batches, with windows of more episodes."""
    cameras: tuple[str, ...] = ()
    """Cameras, in this order; by default all of the data."""
    proprioception: bool = False
    """Whether joint positions are one more token, in a layer of each embodiment."""
    proprioception_dropout: float = field(default=0.0, metadata={ADDED_LATER: True})
    """Share of the windows of a training step whose joint positions are replaced by their mean, so that actions have to
    be found in the images."""
    chunk_size: int = 10
    """Actions per prediction, for all embodiments of a policy. Their duration depends on the control rate."""
    execute_steps: int = 0
    """Actions of a chunk to execute before the next prediction; 0 executes all. A benchmark can override it."""
    binary_gripper: bool = False
    """Whether openings of grippers are only open or closed; those of LIBERO's increments always are."""
    loss: Literal["huber", "mse"] = "huber"
    """Loss of the heads by regression."""
    huber_delta: float = 1.0
    """Error at which Huber's loss changes from quadratic to linear; actions are in [-1, 1]."""
    gripper_weight: float = 0.01
    """Loss weight of grippers that only open and close."""
    bins: int = 256
    """Action tokens, each one of as many equal parts of the range of a dimension."""
    head_width: int = 1024
    """Width of the head."""
    head_layers: int = 4
    """Layers of the head; of flow matching, those of the velocity."""
    head_heads: int = 8
    """Attention heads of the head."""
    flow_steps: int = 10
    """Steps of Euler's method with which flow matching makes a chunk."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in COUNTS:
            if getattr(self, name) < 1:
                raise self._error(name, "1 or more")
        for name in NOT_NEGATIVE:
            if not 0 <= getattr(self, name) < math.inf:
                raise self._error(name, "0 or more")
        for name in SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise self._error(name, "from 0 to 1")
        if not 0 < self.huber_delta < math.inf:
            raise self._error("huber_delta", "more than 0")
        if self.head_width % self.head_heads:
            raise self._error("head_width", f"a multiple of head_heads ({self.head_heads})")
        self._check_combination()

    @property
    def chosen_head(self) -> HeadKind:
        """The head; for "auto" that of the structure."""
        return HEADS[self.structure][0] if self.head == "auto" else self.head

    def _check_combination(self) -> None:
        heads = HEADS[self.structure]
        if self.chosen_head not in heads:
            problem = f"RoboVLMs: --head {self.head} does not go with --structure {self.structure}: {self._obstacle()}."
            hint = f"Use one of {', '.join(heads)}, or another structure."
            raise UsageError(problem, hint, field="head", got=self.head, expected=heads)
        if self.structure in ONE_STEP and self.history > 1:
            problem = f"RoboVLMs: --structure {self.structure} uses the newest observation alone, got a history of "
            hint = (
                "Give --history 1, or a structure that uses the window: interleaved_continuous, policy_head_continuous."
            )
            raise UsageError(f"{problem}{self.history}.", hint, field="history", got=self.history, expected=1)

    def _obstacle(self) -> str:
        """Why the head does not go with the structure."""
        if "discrete" in (self.head, HEADS[self.structure][0]):
            return (
                "words of the language model are actions of the structure one_step_discrete with the head discrete only"
            )
        if self.head == "fc":
            return "it takes each observation alone, so the history would have no effect"
        return "it relates the observations of a window, and there is one observation only"

    def _error(self, name: str, expected: str) -> UsageError:
        value = getattr(self, name)
        return UsageError(
            f"RoboVLMs: {name} must be {expected}, got {value}.", field=name, got=value, expected=expected
        )


PAPER = Preset(  # KosMos-2 with a policy head, as published for CALVIN
    config=RoboVlmsConfig(),
    training=TrainingDefaults(
        steps=100_000,
        batch_size=4,
        learning_rate=2e-5,
        backbone_learning_rate=2e-5,
        weight_decay=0.0,
        warmup_steps=1_000,
        schedule="constant",
        gradient_clip=1.0,
        ema_decay=0.0,
    ),
)
KOSMOS = Preset(  # the same for the control rates of this project's robots, on one GPU
    config=replace(
        PAPER.config,
        history=8,
        stride=10,
        proprioception=True,
        chunk_size=20,
        execute_steps=10,
        train_vision=False,
        train_text_embedding=False,
        lora_rank=64,
    ),
    training=replace(
        PAPER.training,
        batch_size=8,
        learning_rate=1e-4,
        backbone_learning_rate=1e-4,
        schedule="cosine",
        gradient_checkpointing=True,
    ),
)
PALIGEMMA = replace(KOSMOS, config=replace(KOSMOS.config, backbone="paligemma"))
SMOLVLM = Preset(
    config=replace(KOSMOS.config, backbone="smolvlm", train_vision=True, train_text_embedding=True, lora_rank=0),
    training=replace(KOSMOS.training, batch_size=16, backbone_learning_rate=2e-5, gradient_checkpointing=False),
)
BASE = Preset(
    config=RoboVlmsConfig(
        backbone="scratch",
        backbone_size="base",
        history=8,
        stride=10,
        history_dropout=0.9,
        proprioception=True,
        chunk_size=50,
        execute_steps=20,
        huber_delta=0.1,
        gripper_weight=0.1,
        head_width=512,
        head_layers=2,
    ),
    training=TrainingDefaults(
        steps=100_000,
        batch_size=32,
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
    config=replace(BASE.config, backbone_size="tiny", head_width=256),
    training=replace(
        BASE.training,
        steps=6_000,
        learning_rate=5e-4,
        backbone_learning_rate=5e-4,
        warmup_steps=200,
    ),
)
PRESETS = {
    "paper": PAPER,
    "kosmos2": KOSMOS,
    "paligemma_3b": PALIGEMMA,
    "smolvlm_500m": SMOLVLM,
    "base": BASE,
    "tiny": TINY,
}


def preset(name: str, observations: str | None = None) -> Preset[RoboVlmsConfig]:
    """A preset of RoboVLMs, one of `PRESETS`, for observations "images" or None.

    Raises:
        UnknownNameError: No such preset.
        UsageError: Another kind of observation.
    """
    check_name("preset of robovlms", name, PRESETS)
    if observations not in (None, "images"):
        problem = f"--observations {observations}: robovlms uses images."
        raise UsageError(problem, "Leave out the flag.", field="observations", got=observations)
    return PRESETS[name]
