"""Reads frames of episode files by row, here or ahead of time in worker processes."""

import signal
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ambidex.envs.types import ImageArray
from ambidex.errors import AmbidexError, TrainingError
from ambidex.policies.data.episode_table import EpisodeTable, RowArray
from ambidex.recorders.dataset.episode import StoredEpisode
from ambidex.recorders.formats.registry import open_episode
from ambidex.worker_pool.ending import STOP_SIGNALS, exit_with_parent, stop_signals_blocked

OPEN_FILES = 128  # far below the number that a process may open
GRACE_S = 30  # for the parent to complete a step after SIGTERM [s]
Frames = dict[str, Tensor]
"""Camera -> (B, H, W, 3) uint8, or (B, window, H, W, 3)."""


class FrameReader:
    """Reads frames by row of a table. Files stay open, up to `OPEN_FILES`. Can be pickled."""

    def __init__(self, table: EpisodeTable, cameras: Sequence[str]) -> None:
        self.cameras = tuple(cameras)
        self._paths = [entry.path for entry in table.entries]
        self._starts = table.starts
        self._open: OrderedDict[int, StoredEpisode] = OrderedDict()

    def read(self, rows: RowArray) -> dict[str, ImageArray]:
        """Camera -> (*rows.shape, H, W, 3) uint8. Each row is decoded once, in ascending order, as videos prefer.

        Raises:
            DatasetError: A file or a frame is damaged.
        """
        distinct, places = np.unique(rows, return_inverse=True)
        episodes = np.searchsorted(self._starts, distinct, side="right") - 1
        steps = distinct - self._starts[episodes]
        frames = [
            [self._file(episode).frame(camera, t) for camera in self.cameras]
            for episode, t in zip(episodes.tolist(), steps.tolist(), strict=True)
        ]
        stacked = {}
        for camera, views in zip(self.cameras, zip(*frames, strict=True), strict=True):
            images = np.stack([views[place] for place in places.ravel()])
            stacked[camera] = images.reshape(*rows.shape, *images.shape[1:])
        return stacked

    def close(self) -> None:
        """Close all files. Safe to call twice."""
        while self._open:
            self._open.popitem()[1].close()

    def _file(self, episode: int) -> StoredEpisode:
        if episode in self._open:
            self._open.move_to_end(episode)
        else:
            if len(self._open) == OPEN_FILES:
                self._open.popitem(last=False)[1].close()
            self._open[episode] = open_episode(self._paths[episode])
        return self._open[episode]

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_open": OrderedDict()}


def load_frames(
    reader: FrameReader, orders: Iterable[RowArray], workers: int, *, pin_memory: bool = False
) -> Iterator[Frames]:
    """The frames of each batch of rows, (B,) or (B, window), decoded by worker processes, or with 0 in this process.

    Raises:
        DatasetError: A file or a frame is damaged.
        TrainingError: A worker has died.
    """
    loader = DataLoader(
        _RowDataset(reader),
        batch_sampler=cast("Iterable[list[int]]", (rows.tolist() for rows in orders)),
        num_workers=workers,
        collate_fn=_identity,
        pin_memory=pin_memory,
        multiprocessing_context="spawn" if workers else None,
        prefetch_factor=2 if workers else None,
        worker_init_fn=_leave_signals_to_parent,
        generator=torch.Generator(),  # otherwise it would draw from the generator that training uses
    )
    try:
        for item in _start(loader):
            if isinstance(item, AmbidexError):
                raise item
            yield item
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker"):
            raise
        raise TrainingError(
            f"A process that decodes frames has ended: {error}",
            "If memory is short, give fewer --data-workers or render smaller images with render-episodes; in a "
            "container allow more shared memory (docker run --shm-size 8g).",
        ) from error


def _start(loader: "DataLoader[Frames | AmbidexError]") -> Iterator[Frames | AmbidexError]:
    with stop_signals_blocked():
        return iter(loader)


class _RowDataset(Dataset[Frames | AmbidexError]):
    """Gives a DataLoader whole batches."""

    def __init__(self, reader: FrameReader) -> None:
        self._reader = reader

    def __getitems__(self, rows: list[int] | list[list[int]]) -> Frames | AmbidexError:
        try:
            frames = self._reader.read(torch.tensor(rows).numpy())
        except AmbidexError as error:  # sent to the parent as a value; torch would wrap it in a traceback
            return error
        return {camera: torch.from_numpy(images) for camera, images in frames.items()}


def _identity(item: Any) -> Any:
    return item


def _leave_signals_to_parent(worker: int) -> None:
    """Live as long as the parent, which completes the step after a signal and then ends the workers."""
    exit_with_parent()
    for number in STOP_SIGNALS - {signal.SIGTERM}:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end_later)  # torch may send it when a worker has not ended in time
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def _end_later(number: int, frame: object) -> None:
    signal.alarm(GRACE_S)  # SIGALRM ends the process
