"""Worker processes that decode frames ahead of time and hand them over as uint8 in shared memory."""

import signal
from collections.abc import Iterable, Iterator
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ambidex.errors import AmbidexError, TrainingError
from ambidex.policies.training_data.episode_table import RowArray
from ambidex.policies.training_data.frame_reading import FrameReader

Frames = dict[str, Tensor]
"""Camera -> (B, H, W, 3) uint8."""


def loaded(reader: FrameReader, orders: Iterable[RowArray], workers: int, *, pinned: bool = False) -> Iterator[Frames]:
    """The frames of each order of rows (B,), decoded by worker processes; 0 decodes here.

    Raises:
        DatasetError: A file or a frame is damaged.
        TrainingError: A worker has died.
    """
    loader = DataLoader(
        _RowDataset(reader),
        batch_sampler=cast("Iterable[list[int]]", (rows.tolist() for rows in orders)),
        num_workers=workers,
        collate_fn=_as_it_is,
        pin_memory=pinned,
        multiprocessing_context="spawn" if workers else None,
        prefetch_factor=2 if workers else None,
        worker_init_fn=_ignore_interrupts,
        generator=torch.Generator(),  # it would draw from the noise of training otherwise
    )
    try:
        for item in loader:
            if isinstance(item, AmbidexError):
                raise item
            yield item
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker"):
            raise
        raise TrainingError(
            f"A process that decodes frames has ended: {error} If memory is short, give fewer --data-workers; in a "
            "container, more shared memory (docker run --shm-size 8g); or render smaller images with render-episodes."
        ) from error


class _RowDataset(Dataset[Frames | AmbidexError]):
    """What a DataLoader wants: it fetches whole batches."""

    def __init__(self, reader: FrameReader) -> None:
        self._reader = reader

    def __getitems__(self, rows: list[int]) -> Frames | AmbidexError:
        try:
            frames = self._reader.read(torch.tensor(rows).numpy())
        except AmbidexError as error:  # crosses to the parent as a value; torch would wrap it in a traceback
            return error
        return {camera: torch.from_numpy(images) for camera, images in frames.items()}


def _as_it_is(item: Any) -> Any:
    return item


def _ignore_interrupts(worker: int) -> None:
    """Ctrl-C is the parent's business, who lets the step be finished and then stops the workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
