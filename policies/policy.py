"""What every learned policy is: observations in, a chunk of actions out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from ambidex.envs.types import EnvSpec
from ambidex.policies.batch import ObservationBatch, TrainingBatch


@dataclass(frozen=True, kw_only=True)
class PolicyInputs:
    """Which parts of an observation a policy looks at; nothing else is loaded, rendered or sent.

    Attributes:
        cameras: Camera names, in the order the policy expects them. Empty: no images.
        objects: The object poses.
        instruction: The task in words.
    """

    cameras: tuple[str, ...]
    objects: bool
    instruction: bool


class Policy(nn.Module, ABC):
    """A learned policy. It normalises what goes in and un-normalises what comes out, so callers need no statistics.

    Made by `cls(config, spec, statistics)`; `load_state_dict` of a checkpoint's tensors then makes it complete.

    Attributes:
        name: The registered name.
        spec: Spec of the environment it acts in.
        inputs: What it looks at.
        chunk_size: Actions it predicts at once, K.
    """

    name: str
    spec: EnvSpec
    inputs: PolicyInputs
    chunk_size: int

    @abstractmethod
    def losses(self, batch: TrainingBatch) -> Mapping[str, Tensor]:
        """The terms of the loss by name, scalars; the entry "loss" is the one to minimise. In training mode."""

    @abstractmethod
    def predict(self, observation: ObservationBatch) -> Tensor:
        """The next K actions in the environment's units, shape (B, K, A). In evaluation mode, without gradients."""

    def backbone_parameters(self) -> list[nn.Parameter]:
        """Parameters that learn at the backbone's own rate; none unless overridden."""
        return []
