"""Frames decoded once and kept in memory: of the GPU if they fit there, else of the machine."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from ambidex.policies.training_data.episode_table import RowArray
from ambidex.policies.training_data.frame_loader import loaded
from ambidex.policies.training_data.frame_reading import FrameReader, frames_size

ROWS_PER_JOB = 16
SMALL = 100_000_000  # below this, starting workers takes longer than decoding [B]


class ResidentFrames:
    """All frames of some cameras, one tensor (N, H, W, 3) uint8 each; see `FrameSource`.

    Args:
        reader: Reads the frames.
        rows: N.
        image_size: Height and width [px].
        device: The training device.
        home: Where the frames live: the training device, or the CPU.
        workers: Processes that decode; 0 decodes here.
        progress: Called with the number of rows decoded so far.
    """

    def __init__(
        self,
        reader: FrameReader,
        rows: int,
        image_size: tuple[int, int],
        *,
        device: torch.device,
        home: torch.device,
        workers: int,
        progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        self._device, self._home = device, home
        self._frames = {
            camera: torch.empty((rows, *image_size, 3), dtype=torch.uint8, device=home) for camera in reader.cameras
        }
        if reader.cameras:
            small = frames_size(rows, reader.cameras, image_size) < SMALL
            self._fill(reader, rows, 0 if small else workers, progress)

    def images(self, rows: RowArray) -> Mapping[str, Tensor]:
        """See `FrameSource`."""
        at = torch.from_numpy(rows).to(self._home, non_blocking=True)
        return {camera: self._gathered(frames, at).permute(0, 3, 1, 2) for camera, frames in self._frames.items()}

    def batches(self, orders: Iterable[RowArray]) -> Iterator[Mapping[str, Tensor]]:
        """See `FrameSource`."""
        return (self.images(rows) for rows in orders)

    def _fill(self, reader: FrameReader, rows: int, workers: int, progress: Callable[[int], None]) -> None:
        orders = [np.arange(first, min(first + ROWS_PER_JOB, rows)) for first in range(0, rows, ROWS_PER_JOB)]
        for order, images in zip(orders, loaded(reader, orders, workers), strict=True):
            for camera, frames in images.items():
                self._frames[camera][order[0] : order[-1] + 1] = frames.to(self._home)
            progress(int(order[-1]) + 1)
        reader.close()

    def _gathered(self, frames: Tensor, at: Tensor) -> Tensor:
        if self._home == self._device:
            return frames[at]
        staged = torch.empty((len(at), *frames.shape[1:]), dtype=torch.uint8, pin_memory=True)
        torch.index_select(frames, 0, at, out=staged)
        return staged.to(self._device, non_blocking=True)
