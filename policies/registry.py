"""Policies by name, and where their presets live. Nothing is imported before it is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

_REGISTERED = {
    "act": ("ambidex.policies.act.policy:ActPolicy", "ambidex.policies.act.config:preset"),
    "uniact": ("ambidex.policies.uniact.policy:UniActPolicy", "ambidex.policies.uniact.config:preset"),
}
POLICIES: Mapping[str, str] = {name: policy for name, (policy, _) in _REGISTERED.items()}
PRESETS: Mapping[str, str] = {name: preset for name, (_, preset) in _REGISTERED.items()}


# FOLDED policies.preset: A named, complete setting of a policy and of its training.

Config = TypeVar("Config", covariant=True)
Schedule = Literal["constant", "cosine"]
Precision = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True, kw_only=True)
class TrainingDefaults:
    """What the trainer uses where the command line says nothing.

    Attributes:
        steps: Optimiser steps.
        batch_size: Samples in a step.
        learning_rate: AdamW's rate.
        backbone_learning_rate: The rate of `Policy.backbone_parameters`.
        weight_decay: AdamW's decay.
        warmup_steps: Steps over which both rates rise from zero.
        schedule: What the rates do after that; "cosine" ends at zero.
        gradient_clip: Largest norm of all gradients together; 0 for none.
        ema_decay: Decay of the running average of the weights that is saved for use; 0 for none.
        precision: Of the forward and backward pass; "auto" is bf16 where the hardware computes in it.
    """

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


@dataclass(frozen=True, kw_only=True)
class Preset(Generic[Config]):
    """Everything that is needed to train a policy, but for the data.

    Attributes:
        config: The policy's own configuration.
        training: Defaults of the trainer.
    """

    config: Config
    training: TrainingDefaults
