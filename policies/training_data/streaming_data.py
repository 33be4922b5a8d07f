"""Frames decoded again for each sample, for datasets that do not fit into memory."""

from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor

from ambidex.policies.training_data.episode_table import RowArray
from ambidex.policies.training_data.frame_loader import Frames, loaded
from ambidex.policies.training_data.frame_reading import FrameReader


class StreamingFrames:
    """Reads from the files; see `FrameSource`.

    Args:
        reader: Reads the frames.
        device: The training device.
        workers: Processes that decode ahead; 0 decodes here.
    """

    def __init__(self, reader: FrameReader, device: torch.device, workers: int) -> None:
        self._reader, self._device, self._workers = reader, device, workers

    def images(self, rows: RowArray) -> Mapping[str, Tensor]:
        """See `FrameSource`."""
        frames = self._reader.read(rows)
        return self._on_device({camera: torch.from_numpy(images) for camera, images in frames.items()})

    def batches(self, orders: Iterable[RowArray]) -> Iterator[Mapping[str, Tensor]]:
        """See `FrameSource`."""
        pinned = self._device.type == "cuda"
        return (self._on_device(frames) for frames in loaded(self._reader, orders, self._workers, pinned=pinned))

    def _on_device(self, frames: Frames) -> Mapping[str, Tensor]:
        return {
            camera: images.to(self._device, non_blocking=True).permute(0, 3, 1, 2) for camera, images in frames.items()
        }
