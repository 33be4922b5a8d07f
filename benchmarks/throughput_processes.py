"""The same work in several processes at the same time."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.synchronize import Barrier

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
