"""What a long run says about memory, descriptors, shared memory, temporary files, threads and speed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import median

import numpy as np

from ambidex.benchmarks.soak.monitor import Sample
from ambidex.benchmarks.soak.processes import ProcessSample
from ambidex.envs.types import FloatArray

WARM_UP = 0.05  # share of the episodes in which caches fill and modules are imported
TOLERANCE = 0.05  # relative growth of memory, or of the time of an episode, that is none
WINDOW, FEWEST = 0.1, 5  # share of the other samples at either end that are compared, and how many at least
SIGNIFICANT = 0.025
KEPT = ("descriptors", "threads")
ALL = "all processes"


class Verdict(StrEnum):
    """Whether a quantity grows with the number of episodes."""

    STEADY = "steady"
    GROWS = "grows"
    UNCLEAR = "unclear"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One quantity of one process at the start of the comparison and at the end.

    Attributes:
        process: "command", "worker 1", ..., or "all processes".
        quantity: Its name.
        unit: Its unit; empty for a number of items.
        first: Its value after the warm-up.
        last: Its value at the end.
        verdict: Whether it grows.
    """

    process: str
    quantity: str
    unit: str
    first: float
    last: float
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class Windows:
    """The samples that are compared: those right after the warm-up, and the last ones; and all from the warm-up on."""

    first: Sequence[Sample]
    last: Sequence[Sample]
    compared: Sequence[Sample]

    @classmethod
    def of(cls, samples: Sequence[Sample], episodes: int) -> "Windows | None":
        """The windows of a run of so many episodes; None if there are too few samples."""
        later = [sample for sample in samples if sample.episodes >= WARM_UP * episodes]
        size = max(FEWEST, round(WINDOW * len(later)))
        return None if len(later) < 2 * size else cls(first=later[:size], last=later[-size:], compared=later)


def findings(samples: Sequence[Sample], episodes: int) -> tuple[Finding, ...]:
    """What a run, perhaps interrupted, of so many episodes shows; empty if it has too few samples.

    Memory is what a process has written, which grows if its median in the last window is more than `TOLERANCE`
    above that of the first one. A number of items grows if the lowest in the last window is above the highest in the
    first one: within an episode it may go up and down. The processor time of an episode grows if its regression on the
    number of episodes, and on what other programs computed meanwhile, has a slope above zero (p < `SIGNIFICANT`,
    one-sided) that makes more than `TOLERANCE` from the first episode to the last one. If only the wall-clock time of
    an episode does, that is unclear: it waits, for other programs or for the disk.
    """
    windows = Windows.of(samples, episodes)
    return () if windows is None else (*_of_processes(windows), *_of_all(windows), *_of_speed(windows))


def _of_processes(windows: Windows) -> Iterator[Finding]:
    for pid, name in process_names(windows.compared).items():
        first, last = ([_find(sample, pid) for sample in window] for window in (windows.first, windows.last))
        before, after = [each for each in first if each], [each for each in last if each]
        if len(before) == len(first) and len(after) == len(last):
            yield _memory(name, before, after)
            for quantity in KEPT:
                yield _count(
                    name, quantity, [getattr(p, quantity) for p in before], [getattr(p, quantity) for p in after]
                )


def process_names(samples: Sequence[Sample]) -> dict[int, str]:
    """Process id -> its name, in the order of appearance. Helpers of multiprocessing are left out."""
    names: dict[int, str] = {}
    for process in (process for sample in samples for process in sample.processes):
        if process.pid not in names and process.role != "other":
            number = sum(name.startswith(process.role) for name in names.values()) + 1
            names[process.pid] = process.role + f" {number}" * (process.role == "worker")
    return names


def _find(sample: Sample, pid: int) -> ProcessSample | None:
    return next((process for process in sample.processes if process.pid == pid), None)


def _memory(name: str, before: Sequence[ProcessSample], after: Sequence[ProcessSample]) -> Finding:
    first, last = (median(process.written for process in window) for window in (before, after))
    verdict = Verdict.GROWS if last > (1 + TOLERANCE) * first else Verdict.STEADY
    return Finding(
        process=name, quantity="written memory", unit="MB", first=first / 1e6, last=last / 1e6, verdict=verdict
    )


def _count(name: str, quantity: str, before: Sequence[int], after: Sequence[int]) -> Finding:
    verdict = Verdict.GROWS if min(after) > max(before) else Verdict.STEADY
    return Finding(process=name, quantity=quantity, unit="", first=median(before), last=median(after), verdict=verdict)


def _of_all(windows: Windows) -> Iterator[Finding]:
    counts: dict[str, Callable[[Sample], int]] = {
        "shared memory segments": lambda sample: sample.shared_memory,
        "temporary files": lambda sample: sample.temporary_files,
        "worker processes": lambda sample: _workers(sample),
    }
    for name, count in counts.items():
        yield _count(ALL, name, [count(sample) for sample in windows.first], [count(sample) for sample in windows.last])
    names = process_names(windows.compared).values()
    replaced = len(names) - 1 - max(_workers(sample) for sample in windows.compared)
    yield _count(ALL, "workers that died", [0], [replaced])


def _workers(sample: Sample) -> int:
    return sum(process.role == "worker" for process in sample.processes)


def _of_speed(windows: Windows) -> Iterator[Finding]:
    processor = _time(windows, "processor time of an episode", lambda sample: sample.processor_s)
    wall = _time(windows, "wall-clock time of an episode", lambda sample: sample.seconds)
    unclear = wall.verdict is Verdict.GROWS and processor.verdict is Verdict.STEADY
    yield processor
    yield replace(wall, verdict=Verdict.UNCLEAR) if unclear else wall


def _time(windows: Windows, quantity: str, clock: Callable[[Sample], float]) -> Finding:
    """The regression of a time on the number of episodes and on what other programs computed meanwhile."""
    samples = windows.compared
    episodes = np.array([sample.episodes for sample in samples], float)
    each = np.diff([clock(sample) for sample in samples]) / np.diff(episodes)
    inputs = np.stack([np.ones(len(each)), episodes[1:], _other_programs(samples)], axis=1)
    first, slope, error, freedom = _fit(inputs, each)
    last = first + slope * float(episodes[-1] - episodes[1])
    from scipy.stats import t as student  # heavy: an interrupt at the start need not wait for it

    significant = slope > float(student.ppf(1 - SIGNIFICANT, freedom)) * error
    verdict = Verdict.GROWS if significant and last > (1 + TOLERANCE) * first else Verdict.STEADY
    return Finding(process=ALL, quantity=quantity, unit="ms", first=1e3 * first, last=1e3 * last, verdict=verdict)


def _other_programs(samples: Sequence[Sample]) -> FloatArray:
    """Processors that other programs used between successive samples, on average, shape (N - 1,)."""
    machine, ours, seconds = (
        np.diff([getattr(sample, name) for sample in samples]) for name in ("machine_s", "processor_s", "seconds")
    )
    return np.asarray((machine - ours) / seconds)


def _fit(inputs: FloatArray, values: FloatArray) -> tuple[float, float, float, int]:
    """Least squares for inputs (N, 3) and values (N,): 1, the number of episodes, other programs.

    Returns:
        The value at the first episode with the mean of other programs, the slope over episodes, the standard error of
        the slope, and the degrees of freedom.
    """
    inverse = np.linalg.pinv(inputs)
    weights = inverse @ values
    freedom = len(values) - int(np.linalg.matrix_rank(inputs))
    spread = float(np.sum((values - inputs @ weights) ** 2)) / freedom
    start = np.array([1.0, inputs[0, 1], inputs[:, 2].mean()])
    return float(start @ weights), float(weights[1]), float(np.sqrt(spread * np.sum(inverse[1] ** 2))), freedom
