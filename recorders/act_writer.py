"""Writes ACT episodes, frame by frame."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ambidex.envs.types import Episode, ImageArray

OnStep = Callable[[int, Mapping[str, ImageArray]], None]


def write_episode(
    path: Path,
    episode: Episode,
    frames: Mapping[str, Iterable[ImageArray]],
    storage: str,
    on_step: OnStep | None = None,
) -> None:
    """Write one episode file, whole or not at all. The same input gives the same bytes.

    Args:
        path: The file, replaced if it exists.
        episode: Everything but the pixels.
        frames: Camera -> its T frames, each (H, W, 3) uint8 RGB; the cameras are those of the episode's spec.
            They are taken step by step: frame t of every camera in the spec's order, then t + 1; so generators
            that render on demand load each state once and no more than one step is held.
        storage: "lossless", "jpeg" or "raw".
        on_step: Called with (t, the frames of step t by camera) after they are stored, e.g. to add them to a
            video without rendering them twice. The frames are the caller's own arrays.

    Raises:
        UnknownNameError: An unknown storage.
        DatasetError: The fields do not fit together, frames are missing or of the wrong shape, or the disk
            refuses.
    """
    raise NotImplementedError
