"""Base class of policies for several embodiments: one vision-language model, and layers of its own for each."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, ClassVar, Protocol, Self

from torch import nn

from ambidex.envs.types import EnvSpec
from ambidex.errors import NoImagesError, UsageError, check_name
from ambidex.flags import changed_flags
from ambidex.policies.batch import ObservationBatch
from ambidex.policies.compatibility import embodiment_of
from ambidex.policies.messages import PolicyInputs
from ambidex.policies.normalization import Statistics
from ambidex.policies.policy import Policy
from ambidex.policies.vision_language.tokenizers import TextTokenizer
from ambidex.recorders.dataset.info import INSTRUCTION_SEPARATOR

TOKENIZER = "tokenizer.json"


class TextModel(Protocol):
    """A model with a tokenizer."""

    tokenizer: TextTokenizer

    def set_instructions(self, instructions: Sequence[str]) -> None:
        """Set the instructions of the training data. A `ByteTokenizer` is trained on them; a published one is kept."""

    def use_tokenizer(self, tokenizer: TextTokenizer) -> None:
        """Use this tokenizer from now on."""

    def load_tokenizer(self, text: str) -> None:
        """Use the tokenizer of a checkpoint."""


class EmbodimentLayers(nn.Module, ABC):
    """The layers of one embodiment, with the statistics of its data.

    Attributes:
        cameras: Their cameras.
    """

    cameras: tuple[str, ...]

    @abstractmethod
    def init_from(self, other: Self) -> None:
        """Copy the weights of the same embodiment; the statistics stay those of the new data.

        Raises:
            RuntimeError: The sizes differ.
        """


class MultiEmbodimentPolicy(Policy):
    """A policy whose embodiments share a vision-language model.

    Subclasses build what is shared in `__init__`, and then call `_add` for the first embodiment.

    Attributes:
        title: Its name in messages.
        shared_parts: What embodiments share, in words.
        own_parts: What each has of its own, in words.
        layers_prefix: Start of the names of the tensors of `EmbodimentLayers`, before the name of the embodiment.
        shared_settings: Settings on which shared weights depend: in their size, or in what they mean.
        own_settings: Those on which only the layers of embodiments depend.
        config: Its settings.
        embodiment: The embodiment that it acts with, as `embodiment_of` names it.
    """

    multi_embodiment: ClassVar[bool] = True
    title: ClassVar[str]
    shared_parts: ClassVar[str]
    own_parts: ClassVar[str]
    layers_prefix: ClassVar[str]
    shared_settings: ClassVar[frozenset[str]] = frozenset()
    own_settings: ClassVar[frozenset[str]] = frozenset()
    config: Any
    embodiment: str

    def __init__(self) -> None:
        super().__init__()
        self._specs: dict[str, EnvSpec] = {}
        self._inputs: dict[str, PolicyInputs] = {}

    @property
    @abstractmethod
    def text_model(self) -> TextModel:
        """The part of the policy that reads instructions."""

    @abstractmethod
    def layers(self, embodiment: str) -> EmbodimentLayers:
        """The layers of an embodiment."""

    @abstractmethod
    def add_layers(self, embodiment: str, spec: EnvSpec, statistics: Statistics) -> PolicyInputs:
        """Add fresh layers for an embodiment; returns the inputs of the policy with it."""

    @abstractmethod
    def copy_shared(self, other: Self) -> None:
        """Copy the weights that embodiments share.

        Raises:
            RuntimeError: The sizes differ.
        """

    # Initial weights and files.

    @classmethod
    def check_base(cls, config: Any, base: Any, *, fresh: bool) -> None:
        fixed = cls.shared_settings | (frozenset() if fresh else cls.own_settings)
        changed = changed_flags(base, config, {field.name for field in fields(config)} - fixed)
        if changed:
            raise cls._size_error(changed)

    def init_from(self, other: Policy, *, fresh: bool = False) -> str:
        """See `Policy`; what is shared, with the tokenizer, and the layers of embodiments with the same cameras."""
        if not isinstance(other, type(self)):
            problem = f"--adapt, --finetune: expected a checkpoint of {self.name}, got one of {other.name}."
            raise UsageError(problem, got=other.name, expected=self.name)
        known = [] if fresh else [name for name in self._specs if self._same_cameras(other, name)]
        self.check_base(self.config, other.config, fresh=not known)
        try:
            self.copy_shared(other)
            for name in known:
                self.layers(name).init_from(other.layers(name))
        except RuntimeError as error:
            differing = changed_flags(other.config, self.config) or [str(error).splitlines()[-1].strip()]
            raise self._size_error(differing) from error
        self.text_model.use_tokenizer(other.text_model.tokenizer)
        reason = "as requested" if fresh else "those of the checkpoint are of other embodiments or other cameras"
        own = f"the {self.own_parts} of {', '.join(known)}" if known else f"fresh {self.own_parts}: {reason}"
        return f"Starts from {self.shared_parts} of the checkpoint, with {own}."

    def text_files(self) -> Mapping[str, str]:
        """The tokenizer."""
        return {TOKENIZER: self.text_model.tokenizer.to_json()}

    def load_text_files(self, texts: Mapping[str, str]) -> None:
        self.text_model.load_tokenizer(texts[TOKENIZER])

    # Several embodiments.

    @property
    def specs(self) -> tuple[EnvSpec, ...]:
        return tuple(self._specs.values())

    def inputs_for(self, embodiment: str) -> PolicyInputs:
        return self._inputs[embodiment]

    @classmethod
    def embodiments_in(cls, tensor_names: Collection[str]) -> tuple[str, ...]:
        prefix = cls.layers_prefix
        names = (name.removeprefix(prefix) for name in tensor_names if name.startswith(prefix))
        return tuple(dict.fromkeys(name.partition(".")[0] for name in names))

    def add_embodiment(self, spec: EnvSpec, statistics: Statistics) -> None:
        """See `Policy`; a byte tokenizer is trained again, on the instructions of all embodiments, others are kept."""
        if embodiment_of(spec) in self._specs:
            problem = f"This policy already has the embodiment {embodiment_of(spec)}."
            raise UsageError(problem, "Train on all its data at once.", got=embodiment_of(spec))
        self._add(spec, statistics)
        self.text_model.set_instructions([text for known in self.specs for text in instructions_of(known)])

    def use_embodiment(self, embodiment: str) -> None:
        check_name("embodiment of this policy", embodiment, self._specs)
        self.embodiment, self.spec, self.inputs = embodiment, self._specs[embodiment], self.inputs_for(embodiment)

    def embodiment_in(self, observation: ObservationBatch) -> str:
        """The embodiment of observations; the one in use if they do not say."""
        return observation.embodiment or self.embodiment

    def _add(self, spec: EnvSpec, statistics: Statistics) -> None:
        name = embodiment_of(spec)
        self._inputs[name] = self.add_layers(name, spec, statistics)
        self._specs[name] = replace(spec, cameras=self._inputs[name].cameras)

    def _same_cameras(self, other: Self, embodiment: str) -> bool:
        return embodiment in other._specs and self.layers(embodiment).cameras == other.layers(embodiment).cameras

    @classmethod
    def _size_error(cls, differing: list[str]) -> UsageError:
        problem = f"The weights of the base checkpoint depend on other settings: {'; '.join(differing)}."
        flags = ", ".join(line.split()[0] for line in differing if line.startswith("--"))
        hint = f"These cannot change. Leave out {flags}, or train from scratch." if flags else "Train from scratch."
        own = [f"--{name.replace('_', '-')}" for name in sorted(cls.own_settings)]
        if any(line.split()[0] in own for line in differing):
            hint += f" With --fresh-interpreter (fresh {cls.own_parts}) {', '.join(own)} can change."
        return UsageError(problem, hint, got=differing)


def instructions_of(spec: EnvSpec) -> list[str]:
    """The instructions of a dataset's spec."""
    return spec.instruction.split(INSTRUCTION_SEPARATOR)


def used_cameras(title: str, chosen: Sequence[str], spec: EnvSpec) -> tuple[str, ...]:
    """The chosen cameras that an embodiment's data has; all of the data if none are chosen.

    Raises:
        NoImagesError: The data has no images.
        UsageError: The data has none of the chosen cameras.
    """
    if not spec.cameras:
        raise NoImagesError(f"{title} needs images, but the data of {spec.task} has none.", field="cameras")
    cameras = tuple(name for name in chosen or spec.cameras if name in spec.cameras)
    if not cameras:
        wanted, available = " or ".join(chosen), ", ".join(spec.cameras)
        problem = (
            f"{title} needs images of {wanted} (flags or base checkpoint): the data of {spec.task} has {available}."
        )
        hint = "Give --cameras with some of those, or without a name for all, or render others with render-episodes."
        raise UsageError(problem, hint, field="cameras", got=chosen, expected=spec.cameras)
    return cameras
