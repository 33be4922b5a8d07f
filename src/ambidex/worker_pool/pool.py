"""A pool of worker processes of this machine."""

import os
import sys
from collections.abc import Callable
from multiprocessing.connection import wait
from typing import Any, cast

from ambidex.errors import AmbidexError, UsageError
from ambidex.worker_pool.ending import UNGUARDED
from ambidex.worker_pool.job_pool import Job, JobPool, Result, Ticket, WorkerStartError, pickled
from ambidex.worker_pool.process import WorkerProcess
from ambidex.worker_pool.worker import WorkerError, attempt


def worker_count(requested: int | None, jobs: int) -> int:
    """Number of workers to use: as requested, else one per usable CPU; at most one per job."""
    if requested is not None:
        return min(requested, jobs)
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(usable, jobs))


class Pool(JobPool[Job, Result, WorkerProcess[Ticket[Job]]]):
    """A pool of processes of this machine.

    Args:
        factory: Makes the handler of one worker. It, jobs and results must be picklable if there are workers.
        workers: Number of processes, 1 or more; 0 runs jobs in this process, for tests and debuggers.

    Raises:
        UsageError: A negative number of workers, or a factory that cannot be sent to them.
    """

    def __init__(self, factory: Callable[[], Callable[[Job], Result]], workers: int) -> None:
        super().__init__()
        if workers < 0:
            raise UsageError(f"{workers} workers: expected 1 or more, or 0 to run in this process.", got=workers)
        self._factory = factory
        self._handler: Callable[[Job], Result] | None = None
        self._pickled = pickled(factory) if workers else b""
        self._workers = [self._new_worker() for _ in range(workers)]

    def next_result(self) -> tuple[Job, Result | WorkerError]:
        return super().next_result() if self._workers or not self.pending else self._run_in_process()

    def wait_until_ready(self) -> None:
        if self._workers:
            super().wait_until_ready()
        else:
            self._local_handler()

    def _new_worker(self) -> WorkerProcess[Ticket[Job]]:
        return WorkerProcess(self._pickled)

    def _workers_with_reply(self) -> list[WorkerProcess[Ticket[Job]]]:
        workers = {worker.connection: worker for worker in self._workers}
        return [workers[cast("Any", connection)] for connection in wait(list(workers))]

    def _start_error(self, cause: str) -> AmbidexError:
        if cause == f"exit status {UNGUARDED}":
            script = getattr(sys.modules["__main__"], "__file__", "the script")
            problem = f"Worker processes import {script}, and importing it would start this work again."
            hint = 'Put its calls below `if __name__ == "__main__":`, or use 0 workers.'
            return UsageError(problem, hint, path=script)
        return WorkerStartError(f"A worker process ended during start-up ({cause}).")

    def _run_in_process(self) -> tuple[Job, Result | WorkerError]:
        job = self._queue.popleft().job
        self._pending -= 1
        handler = cast("Callable[[object], object]", self._local_handler())
        return job, cast("Result | WorkerError", attempt(handler, job))

    def _local_handler(self) -> Callable[[Job], Result]:
        if self._handler is None:
            self._handler = self._factory()
        return self._handler
