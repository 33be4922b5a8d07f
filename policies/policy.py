"""The interface of a learned policy: observations in, a chunk of actions out."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, TypeVar

import torch
from torch import Tensor, nn

from ambidex.envs.types import EnvSpec
from ambidex.errors import UsageError
from ambidex.policies.batch import ObservationBatch, TrainingBatch
from ambidex.policies.compatibility import embodiment_of
from ambidex.policies.messages import PolicyInputs
from ambidex.policies.normalization import Statistics
from ambidex.text import first_few

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

P = ParamSpec("P")
R = TypeVar("R")


def never_compiled(function: Callable[P, R]) -> Callable[P, R]:
    """`torch.compiler.disable`, but only under compilation: it imports torch._dynamo, which takes over a second."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if not torch.compiler.is_compiling():
            return function(*args, **kwargs)
        return torch.compiler.disable(function)(*args, **kwargs)  # type: ignore[no-any-return,no-untyped-call]

    return call


class Policy(nn.Module, ABC):
    """A learned policy. It normalises its inputs and un-normalises its actions, so callers need no statistics.

    Constructed as `cls(config, spec, statistics)`; `load_state_dict` of a checkpoint's tensors then completes it.
    Subclasses must define the attributes, `losses` and `predict`; all other methods are optional.

    Attributes:
        name: The registered name.
        config_type: The frozen dataclass of its settings.
        format_version: Grows when weights of earlier versions no longer fit; a checkpoint of another is refused.
        multi_embodiment: Whether it can be trained on data of several embodiments at once.
        spec: Spec of the environment it acts in.
        inputs: The parts of an observation that it uses.
        chunk_size: Actions per prediction, K.
        instructions: The only instructions it can follow; empty if it takes any.
        validation_samples: Most held-out samples of each embodiment that a validation evaluates.
    """

    name: str
    config_type: ClassVar[type["DataclassInstance"]]
    format_version: ClassVar[int] = 1
    multi_embodiment: ClassVar[bool] = False
    spec: EnvSpec
    inputs: PolicyInputs
    chunk_size: int
    instructions: tuple[str, ...] = ()
    validation_samples: int = 256

    @abstractmethod
    def losses(self, batch: TrainingBatch) -> Mapping[str, Tensor]:
        """Loss terms by name, scalars; the entry "loss" is minimised. Called in training mode."""

    @abstractmethod
    def predict(self, observation: ObservationBatch) -> Tensor:
        """The next K actions in the environment's units, shape (B, K, A). In evaluation mode, without gradients.

        With a history they follow the newest observation of each window.
        """

    def encode_frames(self, observation: ObservationBatch) -> Tensor | None:
        """Features of single observations, shape (N, ...), for a policy with a history; None if there are none.

        When the policy acts, they are computed once for each observation, and `predict` gets those of the window as
        `encoded_frames`, without images. Its answer must be the same as from the images.

        Args:
            observation: N observations, with shapes as if the history were 1. In evaluation mode, without gradients.
        """
        return None

    # Training.

    def backbone_parameters(self) -> list[nn.Parameter]:
        """Parameters trained at the backbone's learning rate; none by default."""
        return []

    def layer_classes(self) -> tuple[type[nn.Module], ...]:
        """Classes of its transformer layers, the units of --gradient-checkpointing and of --sharding; none by default.

        Their outputs may depend on nothing but their inputs, weights and torch's random numbers.
        """
        return ()

    def on_step_end(self) -> None:
        """Called after each training step, for schedules that are part of the policy."""

    def schedule_warnings(self, steps: int) -> Sequence[str]:
        """One sentence for each schedule of its own that a new run of `steps` steps would not complete."""
        return ()

    def validation_metrics(self, batches: Iterable[ObservationBatch]) -> Mapping[str, float]:
        """Further numbers to log about held-out observations of all embodiments, by name; none by default.

        Called in evaluation mode, without gradients.
        """
        return {}

    # Initial weights and files.

    @classmethod
    def check_weight_files(cls, config: Any) -> None:
        """Check that the files which `load_pretrained` will read exist, before anything slow is done.

        Args:
            config: Settings of `config_type`.

        Raises:
            UsageError: A file of weights does not exist; names all that are missing.
        """

    def load_pretrained(self) -> str:
        """Load pretrained weights. Called once before a new training, never for a checkpoint.

        Returns:
            A sentence about the source of the weights; empty if there is none.

        Raises:
            UsageError: A file of weights does not exist.
            CheckpointError: It is damaged, or does not fit.
        """
        return ""

    @classmethod
    def check_base(cls, config: Any, base: Any, *, fresh: bool) -> None:
        """Check that `init_from` can start with these settings from a policy with others, before anything slow is done.

        Args:
            config: Settings of `config_type`.
            base: Those of the other policy.
            fresh: Only weights that embodiments share will be copied.

        Raises:
            UsageError: They differ in a setting on which weights depend.
        """

    def init_from(self, other: "Policy", *, fresh: bool = False) -> str:
        """Copy the weights of another policy. Called once before training.

        Here: all of them, statistics included, so that training starts from a policy that acts as the other does.

        Args:
            other: Source of the weights.
            fresh: Copy only the weights that embodiments share, not those of an embodiment that both know.

        Returns:
            A sentence about which weights were copied.

        Raises:
            UsageError: It is another policy, of another embodiment, with other cameras or of another size.
        """
        if fresh:
            raise UsageError(f"--fresh-interpreter: {self.name} has no interpreters; uniact has.")
        own, theirs = self._traits(), other._traits()
        found = [name for name in own | theirs if own.get(name) != theirs.get(name)]
        if found:
            values = [f"{name}: {theirs.get(name)} there, {own.get(name)} here" for name in found]
            problem = f"--finetune: the weights of the checkpoint do not fit: {first_few(values)}."
            raise UsageError(problem, "Train on data like that of its training, or from scratch.", fields=tuple(found))
        self.load_state_dict(other.state_dict())
        return "Starts from all weights of the checkpoint, with the statistics of its data."

    def _traits(self) -> dict[str, object]:
        """What has to be the same in two policies that can have the same weights."""
        shapes = {name: tuple(value.shape) for name, value in self.state_dict().items()}
        shared = {"policy": self.name, "embodiment": embodiment_of(self.spec), "cameras": self.inputs.cameras}
        return {**shared, "instructions": self.instructions, **shapes}

    def freeze_shared(self) -> None:
        """Freeze everything that embodiments share: only the weights of embodiments are trained.

        Raises:
            UsageError: Embodiments share nothing in this policy.
        """
        raise UsageError(f"--adapt: {self.name} shares no weights between embodiments; uniact does.")

    def cacheable_features(self, observation: ObservationBatch) -> Tensor | None:
        """Features of single observations that depend on frozen weights only, shape (N, ...); None if there are none.

        Training computes them once for each and passes those of an observation, or of its window, as `cached_features`.

        Args:
            observation: N observations, with shapes as if the history were 1. In evaluation mode, without gradients.
        """
        return None

    def text_files(self) -> Mapping[str, str]:
        """Text files that belong to a checkpoint, name -> content, such as a tokenizer; none by default.

        A policy that is being loaded knows their names before `load_text_files` gives it the contents.
        """
        return {}

    def load_text_files(self, texts: Mapping[str, str]) -> None:
        """Load the text files of a checkpoint.

        Raises:
            CheckpointError: One is damaged.
        """

    # Several embodiments.

    @property
    def specs(self) -> tuple[EnvSpec, ...]:
        """One spec for each embodiment that it knows, the first one that of its construction."""
        return (self.spec,)

    def inputs_for(self, embodiment: str) -> PolicyInputs:
        """The parts of an observation that it uses with an embodiment, e.g. "panda-ee"."""
        return self.inputs

    @classmethod
    def embodiments_in(cls, tensor_names: Collection[str]) -> tuple[str, ...]:
        """The embodiments that a state dict with these names has weights for; empty if names do not tell."""
        return ()

    def add_embodiment(self, spec: EnvSpec, statistics: Statistics) -> None:
        """Add an embodiment with fresh weights.

        Args:
            spec: Spec of the environment of its data.
            statistics: Of its training data.

        Raises:
            UsageError: The policy is for one embodiment, or has this one.
        """
        raise UsageError(
            f"{self.name} supports one embodiment, {embodiment_of(self.spec)}; it cannot add {embodiment_of(spec)}."
        )

    def use_embodiment(self, embodiment: str) -> None:
        """Act with this embodiment from now on; no effect if the policy is for one.

        Raises:
            UnknownNameError: It is none of the policy's embodiments.
        """


class CodedPolicy(Policy):
    """A policy that makes each chunk of actions from one code, an integer. Results and videos show it."""

    def predict(self, observation: ObservationBatch) -> Tensor:
        return self.predict_with_codes(observation)[0]

    @abstractmethod
    def predict_with_codes(self, observation: ObservationBatch) -> tuple[Tensor, Tensor]:
        """The chunks of `predict`, and the code of each, shape (B,) int64, 0 or more."""

    @abstractmethod
    def fix_code(self, code: int) -> None:
        """Make every chunk from this code from now on, whatever the observation is.

        Raises:
            UsageError: There is no such code.
        """
