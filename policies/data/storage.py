"""Which data path a training takes."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ambidex.errors import UsageError
from ambidex.policies.data.episode_table import RowArray
from ambidex.policies.data.frames import FrameReader, Frames, frames_size, loaded

DATA_PATHS = ("auto", "resident", "streaming")


@dataclass(frozen=True, kw_only=True)
class FrameHome:
    """Where decoded frames live.

    Attributes:
        device: Their home; None if they are streamed.
        size: What they take or would take [B].
        reason: Why, in words.
    """

    device: torch.device | None
    size: int
    reason: str


def choose_home(size: int, device: torch.device, wanted: str, processes: int = 1) -> FrameHome:
    """Resident on the training device if the frames fit, else in the machine's memory, else streaming.

    Args:
        size: Of all decoded frames [B].
        device: The training device.
        wanted: "auto", "resident" or "streaming".
        processes: Training processes on this machine, each with frames of its own.

    Raises:
        UsageError: The frames are wanted resident and do not fit.
    """
    if size == 0:
        return FrameHome(device=device, size=0, reason="no images")
    if wanted == "streaming":
        return FrameHome(device=None, size=size, reason="frames are streamed from the files, as asked for")
    if device.type == "cuda" and size <= spare_memory(device):
        return FrameHome(device=device, size=size, reason=f"frames are resident on the GPU ({_gigabytes(size)})")
    spare = spare_memory(torch.device("cpu")) // processes
    if size <= spare:
        return FrameHome(
            device=torch.device("cpu"), size=size, reason=f"frames are resident in memory ({_gigabytes(size)})"
        )
    if wanted == "resident":
        raise UsageError(
            f"--data-path resident: the decoded frames take {_gigabytes(size)}, and {_gigabytes(spare)} are to spare. "
            "Take --data-path streaming, fewer --cameras, or smaller images (render-episodes --image-size H W)."
        )
    reason = f"frames are streamed from the files: decoded they take {_gigabytes(size)}, {_gigabytes(spare)} are free"
    return FrameHome(device=None, size=size, reason=reason)


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2g} GB"


# FOLDED policies.training_data.memory: How much memory there is for training data.

MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")
SHARE = 0.6  # of what is free; the rest is for the policy and for others


def spare_memory(device: torch.device) -> int:
    """Bytes that may be filled with data: of a GPU, or of the machine (within the limit of a container)."""
    if device.type == "cuda":
        return int(SHARE * torch.cuda.mem_get_info(device)[0])
    return int(SHARE * min(_machine(), _container()))


def _machine() -> int:
    lines = MEMINFO.read_text(encoding="utf-8").splitlines() if MEMINFO.exists() else []
    kilobytes = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    return 1024 * kilobytes[0] if kilobytes else 2**62  # not Linux: unknown


def _container() -> int:
    limit, used = _number(CGROUP / "memory.max"), _number(CGROUP / "memory.current")
    return 2**62 if limit is None or used is None else limit - max(0, used - _inactive_file())


def _inactive_file() -> int:
    """Bytes of files that the container has read and would give up at once [B]."""
    path = CGROUP / "memory.stat"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("inactive_file ")), 0)


def _number(path: Path) -> int | None:
    text = path.read_text(encoding="utf-8").strip() if path.exists() else ""
    return int(text) if text.isdecimal() else None


# FOLDED policies.training_data.resident_data: Frames decoded once and kept in memory: of the GPU if they fit there, else of the machine.

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


# FOLDED policies.training_data.streaming_data: Frames decoded again for each sample, for datasets that do not fit into memory.


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
