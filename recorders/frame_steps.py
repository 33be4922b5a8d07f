"""The frames of an episode, step by step, as every writer takes them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from ambidex.envs.types import Episode, ImageArray
from ambidex.errors import DatasetError

OnStep = Callable[[int, Mapping[str, ImageArray]], None]
"""Called with (t, the frames of step t by camera) after they are stored."""


def frame_steps(
    path: Path, episode: Episode, frames: Mapping[str, Iterable[ImageArray]]
) -> Iterator[dict[str, ImageArray]]:
    """Frame t of every camera in the spec's order, then t + 1; no more than one step is held.

    Args:
        path: The file they are for, which errors name.
        episode: What they show.
        frames: Camera -> its T frames, each (H, W, 3) uint8 RGB; the cameras are those of the episode's spec.

    Raises:
        DatasetError: Frames are missing, too many or of the wrong shape.
    """
    sources = {camera: iter(frames[camera]) for camera in episode.spec.cameras}
    for t in range(episode.steps):
        yield {camera: _next_frame(path, episode, camera, t, source) for camera, source in sources.items()}
    for camera, source in sources.items():
        if next(source, None) is not None:
            raise DatasetError(
                f"{path}, camera {camera!r}: more than {episode.steps} frames were given for {episode.steps} "
                "actions. Give one frame per action, taken before it, and none for the last state."
            )


def check_cameras(path: Path, episode: Episode, frames: Mapping[str, Iterable[ImageArray]]) -> None:
    """Raise DatasetError unless frames are given of exactly the spec's cameras."""
    if set(frames) != set(episode.spec.cameras):
        raise DatasetError(
            f"{path}: got frames of the cameras {sorted(frames)}, expected those of the episode's spec, "
            f"{list(episode.spec.cameras)}. Give frames for exactly these."
        )


def _next_frame(path: Path, episode: Episode, camera: str, t: int, source: Iterator[ImageArray]) -> ImageArray:
    frame = next(source, None)
    expected = (*episode.spec.image_size, 3)
    if frame is None or frame.shape != expected or frame.dtype != np.uint8:
        got = "no frame" if frame is None else f"{frame.dtype} of shape {frame.shape}"
        raise DatasetError(
            f"{path}, camera {camera!r}, step {t}: got {got}, expected uint8 of shape {expected}. Give one frame "
            f"for each of the {episode.steps} actions in the size of the episode's spec."
        )
    return frame
