"""Frames decoded once and kept in memory: of the GPU if they fit there, else of the machine."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import Tensor

from ambidex.envs.types import ImageArray
from ambidex.policies.episode_table import EpisodeTable, RowArray
from ambidex.policies.frame_reading import frames_size, read_frames

FRAMES_PER_JOB = 64
SMALL = 64_000_000  # below this, starting workers takes longer than decoding [B]

Job = tuple[Path, str, int, int, int]
"""File, camera, first frame, frame after the last, and the table's row of the first."""


class ResidentFrames:
    """All frames of some cameras, one tensor (N, H, W, 3) uint8 each.

    Args:
        table: The episodes.
        cameras: The cameras to load.
        device: The training device.
        home: Where the frames live: the training device, or the CPU.
        workers: Processes that decode; 0 decodes here.
        progress: Called with the number of frames decoded so far.
    """

    def __init__(
        self,
        table: EpisodeTable,
        cameras: Sequence[str],
        *,
        device: torch.device,
        home: torch.device,
        workers: int,
        progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        self._device, self._home = device, home
        shape = (len(table), *table.spec.image_size, 3)
        pinned = home.type == "cpu" and device.type == "cuda"
        self._frames = {
            camera: torch.empty(shape, dtype=torch.uint8, device=home, pin_memory=pinned) for camera in cameras
        }
        if frames_size(len(table), cameras, table.spec.image_size) < SMALL:
            workers = 0
        done = 0
        for (_, camera, first, end, row), frames in _decoded(_jobs(table, cameras), workers):
            self._frames[camera][row : row + end - first] = torch.from_numpy(frames).to(home)
            done += end - first
            progress(done)

    def batches(self, orders: Iterable[RowArray]) -> Iterator[Mapping[str, Tensor]]:
        """See `FrameSource`."""
        return (self._images(rows) for rows in orders)

    def _images(self, rows: RowArray) -> dict[str, Tensor]:
        at = torch.from_numpy(rows).to(self._home, non_blocking=True)
        return {camera: self._gather(frames, at).permute(0, 3, 1, 2) for camera, frames in self._frames.items()}

    def _gather(self, frames: Tensor, at: Tensor) -> Tensor:
        if self._home == self._device:
            return frames[at]
        staged = torch.empty((len(at), *frames.shape[1:]), dtype=torch.uint8, pin_memory=True)
        torch.index_select(frames, 0, at, out=staged)
        return staged.to(self._device, non_blocking=True)


def _jobs(table: EpisodeTable, cameras: Sequence[str]) -> Iterator[Job]:
    for entry, start in zip(table.entries, table.starts.tolist(), strict=True):
        for camera in cameras:
            for first in range(0, entry.steps, FRAMES_PER_JOB):
                yield entry.path, camera, first, min(first + FRAMES_PER_JOB, entry.steps), start + first


def _decoded(jobs: Iterator[Job], workers: int) -> Iterator[tuple[Job, ImageArray]]:
    """Each job with its frames, in order, a few jobs ahead."""
    if workers == 0:
        yield from ((job, read_frames(*job[:4])) for job in jobs)
        return
    with ExitStack() as stack:
        pool = stack.enter_context(ProcessPoolExecutor(workers, mp_context=get_context("spawn")))
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)
        waiting = [(job, pool.submit(read_frames, *job[:4])) for job in islice(jobs, 3 * workers)]
        while waiting:
            job, future = waiting.pop(0)
            yield job, future.result()
            waiting += [(job, pool.submit(read_frames, *job[:4])) for job in islice(jobs, 1)]
