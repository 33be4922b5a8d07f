"""Cost of a recorded episode of the ALOHA workcell: `record-episodes` timed in a process of its own."""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ambidex.benchmarks.soak.processes import KIBIBYTE, PROC, descendants, is_worker, read
from ambidex.benchmarks.speed.simulation import TASK
from ambidex.benchmarks.speed.timing import Effort, Measurement, MeasurementError
from ambidex.envs.registry import FAMILIES
from ambidex.recorders.dataset.dataset import Dataset

COMMAND = [sys.executable, "-c", "from ambidex.recorders.record_episodes import main; main()"]
CAMERAS = FAMILIES["aloha"].cameras
CAMERA_SETS = {"1_camera": CAMERAS[:1], "3_cameras": CAMERAS}
FRAMES_READ = 200
POLL_S = 0.02
MEGABYTE = 1e6  # [B]


def measure_recording(effort: Effort, workers: int) -> Iterator[Measurement]:
    """Time, size and memory of a lossless episode with one camera and with three, and the time to read a frame."""
    size = max(effort.image_sizes)
    for name, cameras in CAMERA_SETS.items():
        with tempfile.TemporaryDirectory(prefix="ambidex-throughput-") as folder:
            output = Path(folder) / "dataset"
            cost = record(TASK, output, cameras, size, effort.episodes, workers)
            yield from _costs(name, output, cost, effort.episodes)
            yield _reading(name, output)


class Cost(NamedTuple):
    """What one run of the command took: wall-clock time [s], time of all cores [s], peak memory of each worker [B]."""

    seconds: float
    processor_seconds: float
    worker_peaks: tuple[int, ...]


def record(
    task: str, output: Path, cameras: tuple[str, ...], size: tuple[int, int], episodes: int, workers: int
) -> Cost:
    """Run `record-episodes` in a process of its own, lossless."""
    flags = ["--task", task, "--num-episodes", str(episodes), "--output-dir", str(output), "--cameras", *cameras]
    flags += ["--image-size", *map(str, size), "--workers", str(workers), "--storage", "lossless", "--quiet"]
    started, processor_before = time.perf_counter(), _processor_seconds()
    with subprocess.Popen([*COMMAND, *flags], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        memory = PeakMemory(process.pid)
        while process.poll() is None:
            memory.sample()
            time.sleep(POLL_S)
        seconds = time.perf_counter() - started
        output_text = process.stderr.read() if process.stderr else ""
    if process.returncode != 0:
        raise MeasurementError(f"record-episodes exited with status {process.returncode}: {output_text.strip()}")
    used = _processor_seconds() - processor_before
    return Cost(seconds=seconds, processor_seconds=used, worker_peaks=memory.of_workers())


def _processor_seconds() -> float:
    """Of all child processes that have ended, and of their child processes."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class PeakMemory:
    """Peak resident memory of every worker process below process `pid`, read from /proc. Zero outside of Linux.

    The kernel keeps the peak of each process, so sampling now and then is enough.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peaks: dict[int, int] = {}

    def sample(self) -> None:
        """Read the peaks of all workers that are alive."""
        for child in descendants(self._pid):
            if is_worker(child) and (peak := _peak(child)):
                self._peaks[child] = peak

    def of_workers(self) -> tuple[int, ...]:
        """Peak of each worker [B], largest first; one zero if there was none."""
        return tuple(sorted(self._peaks.values(), reverse=True)) or (0,)


def _peak(pid: int) -> int:
    lines = read(PROC / str(pid) / "status").splitlines()
    return next((int(line.split()[1]) * KIBIBYTE for line in lines if line.startswith("VmHWM:")), 0)


def _costs(name: str, output: Path, cost: Cost, episodes: int) -> Iterator[Measurement]:
    setup = name.replace("_", " ")

    def measurement(kind: str, label: str, unit: str, samples: Sequence[float], *, compare: bool = True) -> Measurement:
        base = f"{kind}_1_camera" if compare and name != "1_camera" else ""
        return Measurement("recording", f"{kind}_{name}", label, unit, samples, base)

    label = f"recording one episode, {setup}, start-up included ({episodes} episodes)"
    yield measurement("seconds", label, "s", [cost.seconds / episodes])
    label = f"processor time of one episode, {setup}, all cores"
    yield measurement("processor_seconds", label, "s", [cost.processor_seconds / episodes])
    sizes = [path.stat().st_size / MEGABYTE for path in Dataset(output).paths]
    yield measurement("megabytes", f"size of one episode, {setup}", "MB", sizes)
    peaks = [peak / MEGABYTE for peak in cost.worker_peaks]
    yield measurement("worker_memory", f"peak memory of a worker, {setup}", "MB", peaks, compare=False)


def _reading(name: str, output: Path) -> Measurement:
    rng = np.random.default_rng(0)
    milliseconds = []
    with Dataset(output)[0] as episode:
        for t in rng.integers(episode.steps, size=FRAMES_READ):
            started = time.perf_counter()
            episode.frame(episode.cameras[0], int(t))
            milliseconds.append(1e3 * (time.perf_counter() - started))
    label = f"reading a random frame, {name.replace('_', ' ')}"
    return Measurement("recording", f"read_{name}", label, "ms", milliseconds)
