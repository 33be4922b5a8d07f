"""An episode in a file, whatever the format."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from ambidex.envs.types import EnvSpec, Episode, ImageArray


class StoredEpisode(Protocol):
    """An episode in a file that is open for reading. A context manager; `close` otherwise.

    Attributes:
        path: Its file; for one demonstration of a LIBERO file, FILE/demo_I.
        spec: The spec of the environment it was recorded in.
        storage: "lossless", "jpeg" or "raw".
        steps: Number of control steps, T.
    """

    path: Path
    spec: EnvSpec
    storage: str
    steps: int

    @property
    def cameras(self) -> tuple[str, ...]:
        """The cameras stored, in the spec's order."""
        ...

    @property
    def episode(self) -> Episode:
        """Everything but the pixels, read on first use.

        Raises:
            DatasetError: A field is damaged.
        """
        ...

    def frame(self, camera: str, t: int) -> ImageArray:
        """What a camera saw before action t, shape (H, W, 3) uint8 RGB, upright; t in [0, T).

        Raises:
            UnknownNameError: The file has no such camera.
            UsageError: t is out of range.
            DatasetError: The frame is damaged.
        """
        ...

    def frames(self, camera: str) -> Iterator[ImageArray]:
        """All T frames of a camera, one at a time."""
        ...

    def close(self) -> None:
        """Close the file; what was read stays. Safe to call twice."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
