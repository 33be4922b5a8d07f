"""A thread that renders: an OpenGL context belongs to the thread that made it."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from ambidex.benchmarks.film_worker import FilmWorker

Result = TypeVar("Result")


@dataclass(frozen=True)
class _Work:
    do: Callable[[], None]
    drop: Callable[[], bool]


class RenderThread:
    """Does work with a film worker of its own, the newest first: that is what somebody looks at now."""

    def __init__(self) -> None:
        self._waiting: list[_Work] = []
        self._changed = threading.Condition()
        self._closed = False
        self._film_worker: FilmWorker | None = None
        self._thread = threading.Thread(target=self._run, name="render", daemon=True)
        self._thread.start()

    def submit(self, work: "Callable[[FilmWorker], Result]") -> "Future[Result]":
        """Queue work; its result or exception comes in the future, which is cancelled if this closes before."""
        future: Future[Result] = Future()

        def do() -> None:
            try:
                future.set_result(work(self._worker()))
            except Exception as exception:  # whoever waits for the future hears it
                future.set_exception(exception)

        with self._changed:
            if self._closed:
                future.cancel()
            self._waiting.append(_Work(do, future.cancel))
            self._changed.notify()
        return future

    def close(self) -> None:
        """Finish the work at hand, drop the rest, and free the context. Safe to call twice."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()
        for work in self._waiting:
            work.drop()

    def _run(self) -> None:
        while (work := self._next()) is not None:
            work.do()
        if self._film_worker is not None:
            self._film_worker.close()

    def _next(self) -> _Work | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or bool(self._waiting))
            return None if self._closed else self._waiting.pop()

    def _worker(self) -> "FilmWorker":
        from ambidex.benchmarks.film_worker import (
            FilmWorker,
        )  # loads the simulator: not before somebody wants a picture

        if self._film_worker is None:
            self._film_worker = FilmWorker()
        return self._film_worker
