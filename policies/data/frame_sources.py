"""Where the frames of training samples are stored: decoded once in memory, or streamed from the files."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ambidex.errors import UsageError
from ambidex.policies.data.episode_table import RowArray, row_blocks
from ambidex.policies.data.frames import FrameReader, Frames, load_frames

DATA_PATHS = ("auto", "resident", "streaming")
ROWS_PER_BATCH = 16  # while decoding all frames
SMALL = 100_000_000  # below this, starting workers takes longer than decoding [B]
MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")
USABLE_SHARE = 0.6  # of free memory; the rest is for the policy and other processes
UNKNOWN = 2**62  # [B]


def choose_storage(
    size: int, device: torch.device, data_path: str, processes: int = 1
) -> tuple[torch.device | None, str]:
    """The device to store decoded frames on, None to stream them, and the reason, for the log.

    It is the training device if they fit there, else the machine's memory if they fit there. `size` is that of all
    decoded frames [B]; each of the training processes on this machine has a copy. `data_path` is one of `DATA_PATHS`.

    Raises:
        UsageError: The path is "resident" and the frames do not fit.
    """
    needed, cpu = _gigabytes(size), torch.device("cpu")
    if size == 0:
        return device, "no images"
    if data_path == "streaming":
        return None, "frames are streamed from the files, as requested"
    if device.type == "cuda" and size <= spare_memory(device):
        return device, f"frames are resident on the GPU ({needed})"
    spare = spare_memory(cpu) // processes
    if size <= spare:
        return cpu, f"frames are resident in memory ({needed})"
    comparison = f"decoded they take {needed}, {_gigabytes(spare)} are available"
    if data_path == "resident":
        hint = "Use --data-path streaming, fewer --cameras, or smaller images (render-episodes --image-size H W)."
        raise UsageError(f"--data-path resident: {comparison}.", hint, field="data_path", got=size, expected=spare)
    return None, f"frames are streamed from the files: {comparison}"


def frames_size(rows: int, cameras: Sequence[str], image_size: tuple[int, int]) -> int:
    """Size of the decoded frames of some rows [B]."""
    height, width = image_size
    return rows * len(cameras) * height * width * 3


def spare_memory(device: torch.device) -> int:
    """Memory that data may take [B]: of a GPU, or of the machine within the limit of a container."""
    if device.type == "cuda":
        return int(USABLE_SHARE * torch.cuda.mem_get_info(device)[0])
    available = _line_value(MEMINFO, "MemAvailable:")
    machine = UNKNOWN if available is None else 1024 * available  # not Linux: unknown
    return int(USABLE_SHARE * min(machine, _container_memory()))


class ResidentFrames:
    """All frames of some cameras in memory, one tensor (N, H, W, 3) uint8 each.

    Args:
        reader: Reads the frames.
        rows: N.
        image_size: Height and width [px].
        device: The training device.
        storage: Device of the frames: the training device, or the CPU.
        workers: Processes that decode; 0 decodes in this process.
        progress: Called with the number of rows decoded so far.
    """

    def __init__(
        self,
        reader: FrameReader,
        rows: int,
        image_size: tuple[int, int],
        *,
        device: torch.device,
        storage: torch.device,
        workers: int,
        progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        self._device, self._storage = device, storage
        self._frames = {
            camera: torch.empty((rows, *image_size, 3), dtype=torch.uint8, device=storage) for camera in reader.cameras
        }
        if reader.cameras:
            small = frames_size(rows, reader.cameras, image_size) < SMALL
            self._fill(reader, rows, 0 if small else workers, progress)

    def images(self, rows: RowArray) -> Mapping[str, Tensor]:
        """Frames of rows (B,) or (B, window): camera -> (..., 3, H, W) uint8 on the training device, channels last."""
        at = torch.from_numpy(rows).to(self._storage, non_blocking=True)
        return {camera: self._gathered(frames, at).movedim(-1, -3) for camera, frames in self._frames.items()}

    def batches(self, orders: Iterable[RowArray]) -> Iterator[Mapping[str, Tensor]]:
        """Frames of each batch of rows."""
        return (self.images(rows) for rows in orders)

    def _fill(self, reader: FrameReader, rows: int, workers: int, progress: Callable[[int], None]) -> None:
        orders = row_blocks(rows, ROWS_PER_BATCH)
        for order, images in zip(orders, load_frames(reader, orders, workers), strict=True):
            for camera, frames in images.items():
                self._frames[camera][order[0] : order[-1] + 1] = frames.to(self._storage)
            progress(int(order[-1]) + 1)
        reader.close()

    def _gathered(self, frames: Tensor, at: Tensor) -> Tensor:
        if self._storage == self._device:
            return frames[at]
        staged = torch.empty((at.numel(), *frames.shape[1:]), dtype=torch.uint8, pin_memory=True)
        torch.index_select(frames, 0, at.flatten(), out=staged)
        return staged.to(self._device, non_blocking=True).view(*at.shape, *frames.shape[1:])


class StreamingFrames:
    """Frames decoded from the files for each sample, for datasets that do not fit in memory.

    The frames are those of `ResidentFrames`. Worker processes decode ahead; with 0 of them this process decodes.
    """

    def __init__(self, reader: FrameReader, device: torch.device, workers: int) -> None:
        self._reader, self._device, self._workers = reader, device, workers

    def images(self, rows: RowArray) -> Mapping[str, Tensor]:
        frames = self._reader.read(rows)
        return self._on_device({camera: torch.from_numpy(images) for camera, images in frames.items()})

    def batches(self, orders: Iterable[RowArray]) -> Iterator[Mapping[str, Tensor]]:
        pin_memory = self._device.type == "cuda"
        return map(self._on_device, load_frames(self._reader, orders, self._workers, pin_memory=pin_memory))

    def _on_device(self, frames: Frames) -> Mapping[str, Tensor]:
        return {camera: images.to(self._device, non_blocking=True).movedim(-1, -3) for camera, images in frames.items()}


FrameSource = ResidentFrames | StreamingFrames


def _container_memory() -> int:
    """Memory left to the container [B]; files that it has read count as free, as the system would drop them."""
    limit, used = _number(CGROUP / "memory.max"), _number(CGROUP / "memory.current")
    if limit is None or used is None:
        return UNKNOWN
    return limit - max(0, used - (_line_value(CGROUP / "memory.stat", "inactive_file") or 0))


def _number(path: Path) -> int | None:
    text = path.read_text(encoding="utf-8").strip() if path.exists() else ""
    return int(text) if text.isdecimal() else None


def _line_value(path: Path, name: str) -> int | None:
    """The number after a name in a file of such lines; None if there is none."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return next((int(words[1]) for words in map(str.split, lines) if words[:1] == [name]), None)


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2g} GB"
