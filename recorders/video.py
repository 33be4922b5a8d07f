"""H.264 videos of rollouts: cameras tiled, caption burned in, true speed."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from ambidex.envs.types import ImageArray
from ambidex.recorders.caption import Caption

__all__ = ["Caption", "VideoWriter"]


class VideoWriter:
    """Writes an MP4 frame by frame; the file appears when the `with` block ends well, or never.

    Args:
        path: The file, replaced if it exists.
        fps: Control steps per second [1/s].
        every: Keep one step in this many, still at true speed.

    Raises:
        DatasetError: The disk refuses, or the frames change their cameras or sizes.
    """

    def __init__(self, path: Path, fps: float, every: int = 1) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def add(self, frames: Mapping[str, ImageArray], caption: Caption) -> None:
        """Add one control step.

        Args:
            frames: Camera -> image, shape (H, W, 3) uint8 RGB, the same cameras and sizes at every step.
            caption: What to write below them.
        """
        raise NotImplementedError

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raise NotImplementedError
