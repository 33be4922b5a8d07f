"""Several cameras in one picture."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from ambidex.envs.types import ImageArray

ONE_ROW = 3  # cameras


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """Where each camera's image stands: one row up to three cameras, a grid for more; smaller ones centred.

    Attributes:
        corners: Camera -> row and column of its upper left pixel.
        shapes: Camera -> shape of its images (H, W, 3).
        height: Of the whole [px].
        width: Of the whole [px].
    """

    corners: Mapping[str, tuple[int, int]]
    shapes: Mapping[str, tuple[int, ...]]
    height: int
    width: int

    @classmethod
    def of(cls, frames: Mapping[str, ImageArray]) -> Self:
        """The tiling for images of these shapes, in this order; at least one."""
        shapes = {camera: frame.shape for camera, frame in frames.items()}
        columns = len(shapes) if len(shapes) <= ONE_ROW else math.ceil(math.sqrt(len(shapes)))
        cell_height, cell_width = (max(shape[axis] for shape in shapes.values()) for axis in (0, 1))
        return cls(
            corners={
                camera: (
                    i // columns * cell_height + (cell_height - shape[0]) // 2,
                    i % columns * cell_width + (cell_width - shape[1]) // 2,
                )
                for i, (camera, shape) in enumerate(shapes.items())
            },
            shapes=shapes,
            height=math.ceil(len(shapes) / columns) * cell_height,
            width=columns * cell_width,
        )

    def fits(self, frames: Mapping[str, ImageArray]) -> bool:
        """Whether these are the cameras and shapes it was made for."""
        return {camera: frame.shape for camera, frame in frames.items()} == dict(self.shapes)

    def draw(self, canvas: ImageArray, frames: Mapping[str, ImageArray]) -> None:
        """Put the images on a canvas of at least (height, width, 3) uint8."""
        for camera, frame in frames.items():
            row, column = self.corners[camera]
            canvas[row : row + frame.shape[0], column : column + frame.shape[1]] = frame
