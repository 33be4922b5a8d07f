"""The same work over worker processes; the seam where a cluster engine comes in."""

import os
import pickle
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import wait
from types import TracebackType
from typing import Generic, Self, TypeVar, cast

from ambidex.envs.errors import AmbidexError, UsageError
from ambidex.envs.pool_worker import WorkerError, WorkerProcess, attempt

Job = TypeVar("Job")
Result = TypeVar("Result")
MAX_TRIES = 2  # of a job whose worker dies


class WorkerStartError(AmbidexError):
    """No worker could make its handler; the message says why."""


def worker_count(asked: int | None, jobs: int) -> int:
    """How many workers to use: as asked, else one per usable CPU and no more than there are jobs."""
    if asked is not None:
        return asked
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(usable, jobs))


@dataclass
class _Ticket(Generic[Job]):
    job: Job
    deaths: int = 0


class Pool(Generic[Job, Result]):
    """Hands jobs to worker processes and gives their results back as they come.

    Every worker makes its handler once and keeps it. An exception of the handler comes back as a `WorkerError`; a
    worker that dies is replaced, and its job tried once more. Use it as a context manager: leaving it ends the
    workers, the busy ones in the middle of their job.

    Args:
        factory: Makes the handler of one worker; must be picklable, and so must jobs and results.
        workers: Number of processes, 1 or more; 0 works in this process, for tests and debuggers.

    Raises:
        UsageError: A negative number of workers.
    """

    def __init__(self, factory: Callable[[], Callable[[Job], Result]], workers: int) -> None:
        if workers < 0:
            raise UsageError(f"{workers} workers: give 1 or more, or 0 to work in this process.")
        self._factory = factory
        self._handler: Callable[[Job], Result] | None = None
        self._queue: deque[_Ticket[Job]] = deque()
        self._pickled = pickle.dumps(factory)
        self._workers: list[WorkerProcess[_Ticket[Job]]] = [WorkerProcess(self._pickled) for _ in range(workers)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pending(self) -> int:
        """Jobs submitted whose result has not been given back."""
        return len(self._queue) + sum(worker.task is not None for worker in self._workers)

    def submit(self, job: Job) -> None:
        """Queue a job; jobs start in the order they came."""
        self._queue.append(_Ticket(job))

    def next_result(self) -> tuple[Job, Result | WorkerError]:
        """The next job that is done, in the order they finish. Waits for it.

        Raises:
            WorkerStartError: A handler could not be made.
            LookupError: No job is pending.
        """
        if not self.pending:
            raise LookupError("No job is pending in the pool.")
        while self._workers:
            self._hand_out()
            for worker in self._awake():
                done = self._collect(worker)
                if done is not None:
                    return done
        return self._work_here()

    def wait_until_ready(self) -> None:
        """Wait until a worker has made its handler, so that nothing is begun that cannot be worked on.

        Raises:
            WorkerStartError: The handler could not be made.
        """
        while self._workers and not any(worker.ready for worker in self._workers):
            for worker in self._awake():
                self._collect(worker)
        if not self._workers:
            self._handler_here()

    def close(self) -> None:
        """End the workers. Safe to call twice."""
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.end()

    def _hand_out(self) -> None:
        for worker in self._workers:
            if self._queue and worker.ready and worker.task is None:
                ticket = self._queue.popleft()
                worker.send(ticket, ticket.job)

    def _awake(self) -> list[WorkerProcess[_Ticket[Job]]]:
        talking = wait([worker.connection for worker in self._workers])
        return [worker for worker in self._workers if worker.connection in talking]

    def _collect(self, worker: WorkerProcess[_Ticket[Job]]) -> tuple[Job, Result | WorkerError] | None:
        try:
            reply = worker.receive()
        except EOFError:
            return self._replace(worker)
        if worker.task is None:
            worker.ready = _started(reply)
            return None
        ticket, worker.task = worker.task, None
        return ticket.job, cast("Result | WorkerError", reply)

    def _replace(self, dead: WorkerProcess[_Ticket[Job]]) -> tuple[Job, WorkerError] | None:
        how, ticket = dead.end(), dead.task
        if not dead.ready:
            raise WorkerStartError(f"A worker process ended while it was starting ({how}).")
        self._workers[self._workers.index(dead)] = WorkerProcess(self._pickled)
        if ticket is None:
            return None
        ticket.deaths += 1
        if ticket.deaths < MAX_TRIES:
            self._queue.appendleft(ticket)
            return None
        message = f"The worker process died in the middle of this job, {MAX_TRIES} times; the last time: {how}. "
        return ticket.job, WorkerError(message=message + "Is there enough memory?")

    def _work_here(self) -> tuple[Job, Result | WorkerError]:
        job = self._queue.popleft().job
        handler = cast("Callable[[object], object]", self._handler_here())
        return job, cast("Result | WorkerError", attempt(handler, job))

    def _handler_here(self) -> Callable[[Job], Result]:
        if self._handler is None:
            self._handler = self._factory()
        return self._handler


def _started(reply: object) -> bool:
    if isinstance(reply, WorkerError):
        raise WorkerStartError(reply.message)
    return True
