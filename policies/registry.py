"""Registered policies and their presets; modules are imported when a name is resolved."""

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from ambidex.lookup import Registry

GROUP = "ambidex.policies"
"""Entry points of other distributions: the name of a policy, and its class. Its function `preset` is in that module."""
_REGISTERED = {
    "act": ("ambidex.policies.act.policy:ActPolicy", "ambidex.policies.act.config:preset"),
    "uniact": ("ambidex.policies.uniact.policy:UniActPolicy", "ambidex.policies.uniact.config:preset"),
    "robovlms": ("ambidex.policies.robovlms.policy:RoboVlmsPolicy", "ambidex.policies.robovlms.config:preset"),
}
POLICIES = Registry({name: policy for name, (policy, _) in _REGISTERED.items()}, GROUP)
PRESETS = Registry({name: preset for name, (_, preset) in _REGISTERED.items()}, GROUP, attribute="preset")

Config = TypeVar("Config", covariant=True)
Schedule = Literal["constant", "cosine"]
Precision = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True, kw_only=True)
class TrainingDefaults:
    """A preset's defaults for the flags of `train-policy` of the same names; see `TrainConfig`."""

    steps: int
    batch_size: int
    learning_rate: float
    backbone_learning_rate: float
    weight_decay: float
    warmup_steps: int
    schedule: Schedule
    gradient_clip: float
    ema_decay: float
    precision: Precision = "auto"
    accumulate_steps: int = 1
    gradient_checkpointing: bool = False


@dataclass(frozen=True, kw_only=True)
class Preset(Generic[Config]):
    """A named, complete setting: everything needed to train a policy except the data."""

    config: Config
    training: TrainingDefaults
