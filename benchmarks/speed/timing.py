"""A measured figure, and how rates are timed."""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from statistics import median

from ambidex.errors import AmbidexError


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured figure: the median of its samples, with the extremes beside it.

    Attributes:
        section: "simulation", "rendering", "recording", "libero" or "training".
        name: Key, unique within the section.
        label: What was measured, in words.
        unit: Unit of the samples.
        samples: One value per repetition, in the order taken.
        relative_to: Name of the figure of the same section and run that this one is a multiple of; empty for none.
    """

    section: str
    name: str
    label: str
    unit: str
    samples: tuple[float, ...]
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
        repeats: Repetitions of each timed figure.
        episodes: Episodes to roll out and to record.
        image_sizes: Heights and widths to render [px]; the largest is also recorded.
    """

    seconds: float
    repeats: int
    episodes: int
    image_sizes: tuple[tuple[int, int], ...]


FULL = Effort(seconds=2.0, repeats=5, episodes=6, image_sizes=((480, 640), (240, 320), (120, 160)))
QUICK = Effort(seconds=0.05, repeats=1, episodes=1, image_sizes=((120, 160),))


def rates(work: Callable[[], int], effort: Effort) -> tuple[float, ...]:
    """How many units per second `work` does; it returns how many it has done in one call.

    The first call is not timed: it pays for caches, contexts and imports.
    """
    work()
    return tuple(rate(work, effort.seconds) for _ in range(effort.repeats))


def rate(work: Callable[[], int], seconds: float) -> float:
    """Units per second over at least this long [s]."""
    done, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds or done == 0:
        done += work()
    return done / elapsed


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table."""
    by_name = {(figure.section, figure.name): figure for figure in figures}
    rows = ["| what | median | lowest to highest | unit | relative |", "|---|---:|---:|---|---|"]
    for figure in figures:
        extremes = f"{_short(min(figure.samples))} to {_short(max(figure.samples))}"
        base = by_name.get((figure.section, figure.relative_to))
        relative = f"{figure.value / base.value:.2f} x {base.name}" if base else ""
        cells = (figure.label, _short(figure.value), extremes, figure.unit, relative)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


class MeasurementError(AmbidexError):
    """Something to be measured did not run."""


# FOLDED benchmarks.throughput_processes: The same work in several processes at the same time.

SIBLINGS_TIMEOUT_S = 120.0  # a sibling that died never reaches the barrier

_barrier: Barrier | None = None


@contextmanager
def side_by_side(count: int) -> Iterator[ProcessPoolExecutor]:
    """An executor of so many fresh processes; jobs that call `wait_for_siblings` go on together."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, context, initializer=_share, initargs=(context.Barrier(count),)) as executor:
        yield executor


def wait_for_siblings() -> None:
    """Wait until every process of `side_by_side` is here; alone, go on at once."""
    if _barrier is not None:
        _barrier.wait(SIBLINGS_TIMEOUT_S)


def _share(barrier: Barrier) -> None:
    global _barrier  # a barrier can only reach a worker when it starts
    _barrier = barrier
