"""The frames of one stored episode, by random access."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from ambidex.envs.types import ImageArray
from ambidex.errors import DatasetError, UnknownNameError, UsageError
from ambidex.recorders.hdf5_source import reading
from ambidex.recorders.image_storage import decode_jpeg
from ambidex.recorders.remedy import remedy


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredFrames:
    """The frames of one stored episode, by random access.

    Attributes:
        path: Of the episode, for errors.
        datasets: Camera -> the dataset of its frames, in the spec's order.
        checksums: CRC-32 of each frame as stored, shape (cameras, T); None if the storage has its own.
        encoded: The frames are JPEG.
        bottom_up: The rows of the frames lie in OpenGL's order, the lowest first.
        steps: T.
        image_size: Height and width [px].
    """

    path: Path
    datasets: Mapping[str, h5py.Dataset]
    checksums: npt.NDArray[np.uint32] | None
    encoded: bool
    bottom_up: bool
    steps: int
    image_size: tuple[int, int]

    @property
    def storage(self) -> str:
        """How they are stored: "lossless", "jpeg" or "raw"."""
        if self.encoded:
            return "jpeg"
        return "lossless" if any(images.compression for images in self.datasets.values()) else "raw"

    def check(self) -> None:
        """Look at shapes and types.

        Raises:
            DatasetError: They are not those of such frames.
        """
        for images in self.datasets.values():
            frame = (max(images.shape[1:2], default=0),) if self.encoded else (*self.image_size, 3)
            if images.shape != (self.steps, *frame) or images.dtype != np.uint8:
                raise DatasetError(
                    f"{self.path}, field {images.name}: got {images.dtype} of shape {images.shape}, expected uint8 "
                    f"of shape {(self.steps, *frame)}. The file is damaged or was changed. {remedy(self.path)}"
                )

    def frame(self, camera: str, t: int) -> ImageArray:
        """What a camera saw before action t, shape (H, W, 3) uint8 RGB, upright; t in [0, T).

        Raises:
            UnknownNameError: There is no such camera.
            UsageError: t is out of range.
            DatasetError: The frame is damaged.
        """
        if camera not in self.datasets:
            raise UnknownNameError("camera", camera, self.datasets)
        if not 0 <= t < self.steps:
            raise UsageError(f"{self.path} has frames 0 to {self.steps - 1}; there is no frame {t}.")
        images = self.datasets[camera]
        with reading(self.path, f"{images.name}, frame {t}"):
            data: ImageArray = images[t]
            self._check_frame(camera, t, data)
            picture = decode_jpeg(data, self.image_size) if self.encoded else data
            return np.ascontiguousarray(picture[::-1]) if self.bottom_up else picture

    def _check_frame(self, camera: str, t: int, data: ImageArray) -> None:
        if self.checksums is not None and zlib.crc32(data.data) != self.checksums[[*self.datasets].index(camera), t]:
            raise ValueError("its checksum differs")
