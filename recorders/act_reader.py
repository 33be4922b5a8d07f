"""Reads ACT episodes: fields at once, frames by random access."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from ambidex.envs.types import EnvSpec, Episode, ImageArray


def read_episode(path: Path) -> Episode:
    """Everything of an episode file but the pixels.

    Raises:
        DatasetError: The file is missing, damaged, or was not recorded by this project.
    """
    with EpisodeFile(path) as file:
        return file.episode


class EpisodeFile:
    """An open episode file. A context manager; `close` otherwise.

    Attributes:
        path: The file.
        spec: The spec of the environment it was recorded in.
        storage: "lossless", "jpeg" or "raw".
        steps: Number of control steps, T.
    """

    path: Path
    spec: EnvSpec
    storage: str
    steps: int

    def __init__(self, path: Path) -> None:
        """Open and check the file: attributes, shapes and types of all fields, but no data.

        Raises:
            DatasetError: The file is missing, damaged, or was not recorded by this project.
        """
        raise NotImplementedError

    @property
    def cameras(self) -> tuple[str, ...]:
        """The cameras stored, in the spec's order."""
        return self.spec.cameras

    @property
    def episode(self) -> Episode:
        """Everything but the pixels, read on first use.

        Raises:
            DatasetError: A field is damaged.
        """
        raise NotImplementedError

    def frame(self, camera: str, t: int) -> ImageArray:
        """What a camera saw before action t, shape (H, W, 3) uint8 RGB; t in [0, T).

        Raises:
            UnknownNameError: The file has no such camera.
            UsageError: t is out of range.
            DatasetError: The frame is damaged.
        """
        raise NotImplementedError

    def frames(self, camera: str) -> Iterator[ImageArray]:
        """All T frames of a camera, one at a time."""
        return (self.frame(camera, t) for t in range(self.steps))

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
