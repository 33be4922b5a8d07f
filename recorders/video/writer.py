"""Writes videos of rollouts: cameras tiled, caption burned in, true speed."""

import math
from collections.abc import Mapping
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ambidex.atomic_files import replacing, write_error
from ambidex.envs.types import ImageArray
from ambidex.errors import DatasetError
from ambidex.recorders.video.caption import Caption, CaptionBar

if TYPE_CHECKING:
    from ambidex.recorders.video.encoder import VideoFile

ONE_ROW = 3  # cameras
LEAST_HEIGHT = 200  # of an image beside a caption that can be read [px]


class VideoWriter:
    """Writes an MP4 (H.264) step by step. The file appears when the `with` block ends without an error.

    The same frames and captions give the same bytes (same machine type and FFmpeg version).

    Args:
        path: The file, replaced if it exists.
        fps: Control steps per second [1/s].
    """

    def __init__(self, path: Path, fps: float) -> None:
        self._path = path
        self._rate = Fraction(fps).limit_denominator(1000)
        self._steps = 0
        self._cleanup = ExitStack()
        self._file: VideoFile | None = None

    def __enter__(self) -> Self:
        """Make the folder.

        Raises:
            DatasetError: It cannot be made.
        """
        self._temporary = self._cleanup.enter_context(replacing(self._path))
        self._cleanup.push(self._close_file)
        return self

    def add(self, frames: Mapping[str, ImageArray], caption: Caption) -> None:
        """Add one control step.

        Args:
            frames: Camera -> image, shape (H, W, 3) uint8 RGB, the same cameras and sizes at every step.
            caption: The text below them.

        Raises:
            DatasetError: No camera, the cameras or sizes changed, or the file cannot be written.
        """
        try:
            file = self._file or self._open_file(frames)
            self._check(frames)
            self._tiling.draw(file.image, frames)
            self._bar.draw(file.image[self._tiling.height :], caption)
            file.add()
        except OSError as error:
            raise write_error(self._path, error) from error
        self._steps += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleanup.__exit__(kind, error, trace)

    def _open_file(self, frames: Mapping[str, ImageArray]) -> "VideoFile":
        from ambidex.recorders.video.encoder import VideoFile  # imports PyAV, which most workers do not need

        if not frames:
            raise DatasetError(f"{self._path}: a video needs images of at least one camera, got none.", path=self._path)
        self._tiling = Tiling(frames)
        self._bar = CaptionBar(self._tiling.width, self._tiling.cell_height)
        height, width = _even(self._tiling.height + self._bar.height), _even(self._tiling.width)
        self._file = VideoFile(self._temporary, self._rate, height, width)
        return self._file

    def _check(self, frames: Mapping[str, ImageArray]) -> None:
        got, expected = {camera: frame.shape for camera, frame in frames.items()}, dict(self._tiling.shapes)
        if got != expected:
            problem = f"{self._path}, step {self._steps}: got images {got}, expected {expected} as in the first step."
            raise DatasetError(problem, path=self._path, step=self._steps, got=got, expected=expected)

    def _close_file(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None and error is None:
            self._file.finish()
        elif self._file is not None:
            self._file.abandon()
        elif error is None:
            raise DatasetError(f"{self._path}: no step was added, so there is no video to write.", path=self._path)


def _even(pixels: int) -> int:
    """H.264 with half colour resolution needs even sides."""
    return pixels + pixels % 2


class Tiling:
    """Where each camera's image is drawn: one row up to three cameras, a grid for more; smaller ones centred.

    If all are low, their pixels are repeated, in both directions as often as it takes to reach `LEAST_HEIGHT`.

    Args:
        frames: Images of one camera or more, whose order and shapes count.

    Attributes:
        corners: Camera -> row and column of its upper left pixel.
        shapes: Camera -> shape of its images (H, W, 3).
        cell_height: Of the highest image as it is drawn [px].
        height: Of the whole [px].
        width: Of the whole [px].
    """

    def __init__(self, frames: Mapping[str, ImageArray]) -> None:
        self.shapes = {camera: frame.shape for camera, frame in frames.items()}
        columns = len(frames) if len(frames) <= ONE_ROW else math.ceil(math.sqrt(len(frames)))
        highest, widest = (max(shape[axis] for shape in self.shapes.values()) for axis in (0, 1))
        repeat = self._repeat = math.ceil(LEAST_HEIGHT / highest)
        self.cell_height, cell_width = repeat * highest, repeat * widest
        self.height, self.width = math.ceil(len(frames) / columns) * self.cell_height, columns * cell_width
        self.corners: dict[str, tuple[int, int]] = {}
        for i, (camera, (height, width, _)) in enumerate(self.shapes.items()):
            row, column = i // columns * self.cell_height, i % columns * cell_width
            top, left = (self.cell_height - repeat * height) // 2, (cell_width - repeat * width) // 2
            self.corners[camera] = row + top, column + left

    def draw(self, canvas: ImageArray, frames: Mapping[str, ImageArray]) -> None:
        """Draw the images on a canvas of at least (height, width, 3) uint8."""
        for camera, frame in frames.items():
            row, column = self.corners[camera]
            larger = frame.repeat(self._repeat, axis=0).repeat(self._repeat, axis=1) if self._repeat > 1 else frame
            canvas[row : row + larger.shape[0], column : column + larger.shape[1]] = larger
