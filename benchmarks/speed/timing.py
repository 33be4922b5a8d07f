"""Measurements, and how rates are timed: in one process, or in several at the same time."""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from statistics import median

from ambidex.errors import AmbidexError

SIBLINGS_TIMEOUT_S = 120.0  # a sibling that died never reaches the barrier


class MeasurementError(AmbidexError):
    """What was to be measured did not run."""


@dataclass(frozen=True)
class Measurement:
    """What was measured: the median of its samples, reported with the lowest and the highest.

    Attributes:
        section: "simulation", "rendering", "tasks", "recording", "libero" or "training".
        name: Key, unique within the section.
        label: Description for people.
        unit: Unit of the samples.
        samples: One value per repetition, in the order taken.
        relative_to: Name of the measurement of the same section and run that this one is divided by; empty for none.
    """

    section: str
    name: str
    label: str
    unit: str
    samples: Sequence[float]
    relative_to: str = ""

    @property
    def value(self) -> float:
        """The median."""
        return median(self.samples)


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How long to measure.

    Attributes:
        seconds: Shortest duration of one repetition [s].
        repeats: Repetitions of each timed measurement.
        episodes: Episodes to roll out and to record.
        image_sizes: Heights and widths to render [px]; the largest is also recorded.
        steps: Most control steps of an episode that is replayed with images, or trained on.
    """

    seconds: float
    repeats: int
    episodes: int
    image_sizes: tuple[tuple[int, int], ...]
    steps: int = 400


FULL = Effort(seconds=2.0, repeats=5, episodes=6, image_sizes=((480, 640), (240, 320), (120, 160)))
QUICK = Effort(seconds=0.05, repeats=1, episodes=1, image_sizes=((48, 64),), steps=20)


def rates(work: Callable[[], int], effort: Effort) -> tuple[float, ...]:
    """Units per second of each repetition; `work` returns how many units it did in one call.

    The first call is not timed: it fills caches, makes contexts and imports modules.
    """
    work()
    return tuple(rate(work, effort.seconds) for _ in range(effort.repeats))


def rate(work: Callable[[], int], seconds: float) -> float:
    """Units per second over at least this long [s]."""
    done, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds or done == 0:
        done += work()
    return done / elapsed


_barrier: Barrier | None = None


@contextmanager
def parallel_processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """An executor of `count` fresh processes. Jobs that call `wait_for_siblings` start timing together."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, context, initializer=_share, initargs=(context.Barrier(count),)) as executor:
        yield executor


def _share(barrier: Barrier) -> None:
    global _barrier  # a barrier can only reach a worker when it starts
    _barrier = barrier


def wait_for_siblings() -> None:
    """Wait until every process of `parallel_processes` has called this. Outside of them it returns at once."""
    if _barrier is not None:
        _barrier.wait(SIBLINGS_TIMEOUT_S)


def total_rates(executor: ProcessPoolExecutor, count: int, job: Callable[[], tuple[float, ...]]) -> tuple[float, ...]:
    """The rates of `count` processes that run the same job, added up repetition by repetition."""
    futures = [executor.submit(job) for _ in range(count)]
    return tuple(sum(repetition) for repetition in zip(*(future.result() for future in futures), strict=True))


def markdown_table(measurements: Sequence[Measurement]) -> str:
    """The measurements as a Markdown table."""
    by_name = {(measured.section, measured.name): measured for measured in measurements}
    rows = ["| what | median | lowest to highest | unit | relative |", "|---|---:|---:|---|---|"]
    for measured in measurements:
        extremes = f"{_short(min(measured.samples))} to {_short(max(measured.samples))}"
        base = by_name.get((measured.section, measured.relative_to))
        relative = f"{measured.value / base.value:.2f} x {base.name}" if base else ""
        cells = (measured.label, _short(measured.value), extremes, measured.unit, relative)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
