"""Reads one stored episode, whatever its format: fields at once, frames by random access."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Protocol, Self

from ambidex.envs.types import EnvSpec, Episode, ImageArray
from ambidex.errors import DatasetError, UsageError, check_name
from ambidex.recorders.hdf5.reading import reading
from ambidex.text import html_card


class FrameStore(Protocol):
    """Where the frames of one stored episode are, and how they are stored."""

    @property
    def places(self) -> Mapping[str, str]:
        """Camera -> where its frames are, for messages, in the spec's order."""
        ...

    @property
    def storage(self) -> str:
        """How they are stored, a value of --storage."""
        ...

    def check(self, path: Path, steps: int, size: tuple[int, int]) -> None:
        """Raise DatasetError unless there are so many frames of this size for each camera; nothing is decoded."""
        ...

    def has_checksums(self, camera: str) -> bool:
        """Whether damaged frames of a camera would be noticed."""
        ...

    def read(self, camera: str, t: int, size: tuple[int, int]) -> ImageArray:
        """A frame of this size, upright. Raises what decoding raises, and ValueError for another checksum."""
        ...


class StoredEpisode(ABC):
    """An episode in a file that is open for reading. Use it in `with`, or `close` it.

    Attributes:
        path: Its file; for one demonstration of a LIBERO file, FILE/demo_I.
        spec: The spec of the environment it was recorded in.
        steps: Number of control steps, T.
    """

    path: Path
    spec: EnvSpec
    steps: int
    _frames: FrameStore

    def __repr__(self) -> str:
        cameras = ", ".join(self.cameras) or "none"
        return f"<{type(self).__name__} {self.path}: {self.steps} steps of {self.spec.task}, cameras {cameras}>"

    def _repr_html_(self) -> str:
        """For notebooks: how it ended, and its first, middle and last frames."""
        facts = {"instruction": self.spec.instruction, "episode": repr(self.episode), "storage": self.storage}
        steps = sorted({0, self.steps // 2, self.steps - 1})
        return html_card(
            repr(self), facts, lambda: {f"{c}, step {t}": self.frame(c, t) for c in self.cameras for t in steps}
        )

    @cached_property
    @abstractmethod
    def episode(self) -> Episode:
        """Everything but the pixels, read on first use.

        Raises:
            DatasetError: A field is damaged, or a number in it is not finite.
        """

    @property
    @abstractmethod
    def model_sha256(self) -> str:
        """SHA-256 of the compiled model it was recorded in."""

    @property
    @abstractmethod
    def versions(self) -> Mapping[str, str]:
        """Package -> version it was recorded with."""

    @property
    @abstractmethod
    def state_size(self) -> int:
        """How many numbers a simulation state has, S; 0 if none are stored. Nothing is read for it."""

    @abstractmethod
    def close(self) -> None:
        """Close all files; what was read stays valid. Safe to call twice."""

    @property
    def cameras(self) -> tuple[str, ...]:
        """The cameras stored, in the spec's order."""
        return self.spec.cameras

    @property
    def storage(self) -> str:
        """How images are stored, a value of --storage."""
        return self._frames.storage

    def has_checksums(self, camera: str) -> bool:
        """Whether damaged frames of a camera would be noticed; other programs may write files without checksums."""
        return self._frames.has_checksums(camera)

    def frame(self, camera: str, t: int) -> ImageArray:
        """What a camera saw before action t, shape (H, W, 3) uint8 RGB, upright; t in [0, T).

        Raises:
            UnknownNameError: The file has no such camera.
            UsageError: t is out of range.
            DatasetError: The frame is damaged.
        """
        check_name("camera", camera, self._frames.places)
        if not 0 <= t < self.steps:
            raise UsageError(f"{self.path} has frames 0 to {self.steps - 1}; got {t}.", path=self.path, got=t)
        with reading(self.path, f"{self._frames.places[camera]}, frame {t}"):
            return self._frames.read(camera, t, self.spec.image_size)

    def frames(self, camera: str) -> Iterator[ImageArray]:
        """All T frames of a camera, one at a time."""
        return (self.frame(camera, t) for t in range(self.steps))

    def check_has_states(self) -> None:
        """Raise DatasetError if no simulation states are stored, as in a dataset of another program."""
        if not self.state_size:
            problem = f"{self.path} has no simulation states, so it cannot be replayed or rendered again."
            hint = "It can be trained on with the images that are stored, and converted to the lerobot format."
            raise DatasetError(problem, hint, path=self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
