"""What every learned policy is: observations in, a chunk of actions out."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from torch import Tensor, nn

from ambidex.envs.types import EnvSpec
from ambidex.errors import UsageError
from ambidex.policies.batch import ObservationBatch, TrainingBatch
from ambidex.policies.compatibility import embodiment_of
from ambidex.policies.messages import PolicyInputs
from ambidex.policies.normalization import Statistics

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class Policy(nn.Module, ABC):
    """A learned policy. It normalises what goes in and un-normalises what comes out, so callers need no statistics.

    Made by `cls(config, spec, statistics)`; `load_state_dict` of a checkpoint's tensors then makes it complete.

    Attributes:
        name: The registered name.
        config_type: The frozen dataclass of its settings.
        multi_embodiment: Whether it can learn from the data of several robots at once.
        spec: Spec of the environment it acts in.
        inputs: What it looks at.
        chunk_size: Actions it predicts at once, K.
        instructions: The only instructions it can follow; empty if it takes any.
    """

    name: str
    config_type: ClassVar[type["DataclassInstance"]]
    multi_embodiment: ClassVar[bool] = False
    spec: EnvSpec
    inputs: PolicyInputs
    chunk_size: int
    instructions: tuple[str, ...] = ()

    @abstractmethod
    def losses(self, batch: TrainingBatch) -> Mapping[str, Tensor]:
        """The terms of the loss by name, scalars; the entry "loss" is the one to minimise. In training mode."""

    @abstractmethod
    def predict(self, observation: ObservationBatch) -> Tensor:
        """The next K actions in the environment's units, shape (B, K, A). In evaluation mode, without gradients."""

    @property
    def specs(self) -> tuple[EnvSpec, ...]:
        """One for each robot that it can act with, the first one that of its making."""
        return (self.spec,)

    def inputs_for(self, robot: str) -> PolicyInputs:
        """What it looks at when it acts with a robot, which is named as `embodiment` does."""
        return self.inputs

    @classmethod
    def embodiments_in(cls, tensors: Collection[str]) -> tuple[str, ...]:
        """The robots to which tensors of these names belong; none where the names do not tell."""
        return ()

    def add_embodiment(self, spec: EnvSpec, statistics: Statistics) -> None:
        """Learn to act with one more robot.

        Args:
            spec: Of the environment of its data.
            statistics: Of its training data.

        Raises:
            UsageError: The policy is for one robot, or has this one.
        """
        raise UsageError(
            f"{self.name} is for one robot, {embodiment_of(self.spec)}; it cannot have {embodiment_of(spec)} too."
        )

    def use_embodiment(self, robot: str) -> None:
        """Act with this robot from now on; without effect if the policy is for one.

        Raises:
            UnknownNameError: The policy is for several, and this is none of them.
        """

    def schedule_warnings(self, steps: int) -> Sequence[str]:
        """What of its own changes from step to step and will not be over, a sentence each; for a run that begins.

        Args:
            steps: Training steps of the run.
        """
        return ()

    def on_step_end(self) -> None:
        """Called after each training step, for what changes from step to step beside the weights."""

    def validation_metrics(self, seen: Iterable[ObservationBatch]) -> Mapping[str, float]:
        """What is worth logging about what it does with held-out observations of all its robots, by name.

        None unless overridden. In evaluation mode, without gradients.
        """
        return {}

    def init_from(self, other: "Policy", *, fresh: bool = False) -> str:
        """Begin with the weights of another policy, as far as they mean the same here. Called once before training.

        Args:
            other: Where to take them from.
            fresh: Take only what robots share; what belongs to a robot begins afresh, though both know it.

        Returns:
            What a person should know about it.

        Raises:
            UsageError: They do not fit, or this kind of policy cannot begin so.
        """
        raise UsageError(f"--adapt, --finetune: {self.name} cannot begin with the weights of a checkpoint; uniact can.")

    def freeze_shared(self) -> None:
        """From now on learn only what belongs to robots, and use the rest as it is used in the end.

        Raises:
            UsageError: This kind of policy shares nothing among robots.
        """
        raise UsageError(f"--adapt: {self.name} shares nothing among robots; uniact does.")

    def readout(self, observation: ObservationBatch) -> Tensor | None:
        """What may be computed once for an observation, as nothing that it depends on learns, shape (B, ...).

        A training keeps it and gives it back as the observation's `readout`. None if there is nothing of the kind.
        """
        return None

    def backbone_parameters(self) -> list[nn.Parameter]:
        """Parameters that learn at the backbone's own rate; none unless overridden."""
        return []

    def text_files(self) -> Mapping[str, str]:
        """Texts that a checkpoint holds beside the tensors, by file name, such as a tokenizer; none unless overridden.

        What they are is not yet known when a policy is made of a checkpoint, but their names are.
        """
        return {}

    def load_text_files(self, texts: Mapping[str, str]) -> None:
        """Take the texts of a checkpoint.

        Raises:
            CheckpointError: One is not what it should be.
        """

    @classmethod
    def check_weight_files(cls, config: Any) -> None:
        """Refuse settings whose files of weights are not there, all at once, before there is anything slow.

        Args:
            config: Settings of `config_type`. `load_pretrained` will be called for them.

        Raises:
            UsageError: A file of weights does not exist.
        """

    def load_pretrained(self) -> str:
        """Fill in weights from elsewhere. Called once before training from the start, never for a checkpoint.

        Returns:
            What a person should know about where the weights come from; empty if there is nothing to say.

        Raises:
            UsageError: A file of weights does not exist.
            CheckpointError: It is damaged, or does not fit.
        """
        return ""


# FOLDED policies.coded_policy: A policy that makes each chunk of actions from one code of a codebook.


class CodedPolicy(Policy):
    """A policy that makes each chunk of actions from one code, a whole number. Results and videos say which."""

    def predict(self, observation: ObservationBatch) -> Tensor:
        """See `Policy`."""
        return self.predict_with_codes(observation)[0]

    @abstractmethod
    def predict_with_codes(self, observation: ObservationBatch) -> tuple[Tensor, Tensor]:
        """What `predict` gives, and the code behind each chunk, shape (B,) int64, 0 or more."""

    @abstractmethod
    def fix_code(self, code: int) -> None:
        """From now on, make every chunk from this code, whatever is seen and asked.

        Raises:
            UsageError: There is no such code.
        """
