"""Where the pixels of training samples come from."""

import signal
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, cast

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ambidex.envs.types import ImageArray
from ambidex.errors import AmbidexError, TrainingError
from ambidex.policies.data.episode_table import EpisodeTable, RowArray
from ambidex.recorders.dataset.episode import StoredEpisode
from ambidex.recorders.formats.registry import open_episode


class FrameSource(Protocol):
    """Gives the frames of rows (B,) as camera -> (B, 3, H, W) uint8 on the training device, channels last in memory.

    Every source gives the same.
    """

    def images(self, rows: RowArray) -> Mapping[str, Tensor]:
        """Those of some rows, now."""
        ...

    def batches(self, orders: Iterable[RowArray]) -> Iterator[Mapping[str, Tensor]]:
        """Those of each order of rows; a source may work ahead."""
        ...


# FOLDED policies.training_data.frame_reading: Decodes frames of episode files, as they are asked for by row.

OPEN_FILES = 128  # far below what a process may open


class FrameReader:
    """Reads frames by row of a table. Each file is opened once and stays open, up to a number. Can be pickled.

    Args:
        table: The episodes.
        cameras: The cameras to read.
    """

    def __init__(self, table: EpisodeTable, cameras: Sequence[str]) -> None:
        self.cameras = tuple(cameras)
        self._paths = [entry.path for entry in table.entries]
        self._starts = table.starts
        self._open: OrderedDict[int, StoredEpisode] = OrderedDict()

    def read(self, rows: RowArray) -> dict[str, ImageArray]:
        """Camera -> (B, H, W, 3) uint8.

        Raises:
            DatasetError: A file or a frame is damaged.
        """
        episodes = np.searchsorted(self._starts, rows, side="right") - 1
        places = [(int(episode), int(row - self._starts[episode])) for episode, row in zip(episodes, rows, strict=True)]
        frames = [[self._file(i).frame(camera, t) for camera in self.cameras] for i, t in places]
        return {camera: np.stack(views) for camera, views in zip(self.cameras, zip(*frames, strict=True), strict=True)}

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


def frames_size(rows: int, cameras: Sequence[str], image_size: tuple[int, int]) -> int:
    """Bytes of the decoded frames of this many rows."""
    height, width = image_size
    return rows * len(cameras) * height * width * 3


# FOLDED policies.training_data.frame_loader: Worker processes that decode frames ahead of time and hand them over as uint8 in shared memory.

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
