"""What all pools share: they hand out jobs and survive workers that die."""

import pickle
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar, cast

from ambidex.errors import AmbidexError, UsageError
from ambidex.worker_pool.worker import Worker, WorkerError

Job = TypeVar("Job")
Result = TypeVar("Result")
MAX_TRIES = 2  # of a job whose worker dies


class WorkerStartError(AmbidexError):
    """No worker could make its handler."""


def pickled(factory: object, dumps: Callable[[object], bytes] = pickle.dumps) -> bytes:
    """What is sent to workers, or a UsageError if it cannot be."""
    try:
        return dumps(factory)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        problem = f"The agent or another object cannot be sent to worker processes: {error}."
        hint = "Define its class or function at the top of a module, or use 0 workers to run in this process."
        raise UsageError(problem, hint) from error


@dataclass
class Ticket(Generic[Job]):
    """A job, and how many workers have died during it."""

    job: Job
    deaths: int = 0


AnyWorker = TypeVar("AnyWorker", bound=Worker[Any])


class JobPool(ABC, Generic[Job, Result, AnyWorker]):
    """Hands jobs to workers and returns their results in the order they finish.

    Every worker makes its handler once. An exception of the handler is returned as a `WorkerError`; a worker that dies
    is replaced, and its job tried once more, or again and again if their machines are lost. Use it as a context
    manager: leaving it ends the workers, also those that are busy.
    """

    def __init__(self) -> None:
        self._queue: deque[Ticket[Job]] = deque()
        self._workers: list[AnyWorker] = []
        self._with_reply: deque[AnyWorker] = deque()  # one wait for all: with 1,000 workers it takes milliseconds
        self._idle: deque[AnyWorker] = deque()
        self._pending = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Number of workers."""
        return len(self._workers)

    @property
    def note(self) -> str:
        """Where the workers are; empty for this machine."""
        return ""

    @property
    def pending(self) -> int:
        """Number of submitted jobs whose result has not been returned."""
        return self._pending

    def submit(self, job: Job) -> None:
        """Queue a job; jobs start in the order of submission."""
        self._queue.append(Ticket(job))
        self._pending += 1

    def next_result(self) -> tuple[Job, Result | WorkerError]:
        """The next job that finishes, and its result. Blocks.

        Raises:
            WorkerStartError: A handler could not be made.
            LookupError: No job is pending.
        """
        if not self.pending:
            raise LookupError("No job is pending in the pool.")
        while True:
            self._assign_jobs()
            done = self._collect(self._next_with_reply())
            if done is not None:
                self._pending -= 1
                return done

    def results(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Result | WorkerError]]:
        """Submit jobs, and yield each with its result as it finishes; see `next_result`."""
        for job in jobs:
            self.submit(job)
        while self.pending:
            yield self.next_result()

    def wait_until_ready(self) -> None:
        """Wait until a worker has made its handler, so that nothing is written before jobs can run.

        Raises:
            WorkerStartError: The handler could not be made.
            UsageError: A script that is not guarded by `if __name__ == "__main__":` started the pool.
        """
        while not any(worker.ready for worker in self._workers):
            self._collect(self._next_with_reply())

    def close(self) -> None:
        """End the workers. Safe to call twice."""
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.end()

    @abstractmethod
    def _new_worker(self) -> AnyWorker:
        """Start a worker."""

    @abstractmethod
    def _workers_with_reply(self) -> list[AnyWorker]:
        """Wait until at least one worker has sent a reply or died; returns all that have."""

    @abstractmethod
    def _start_error(self, cause: str) -> AmbidexError:
        """The error to raise if a worker ended before it was ready."""

    def _next_with_reply(self) -> AnyWorker:
        if not self._with_reply:
            self._with_reply.extend(self._workers_with_reply())
        return self._with_reply.popleft()

    def _assign_jobs(self) -> None:
        while self._queue and self._idle:
            ticket = self._queue.popleft()
            self._idle.popleft().send(ticket, ticket.job)

    def _collect(self, worker: AnyWorker) -> tuple[Job, Result | WorkerError] | None:
        try:
            reply = worker.receive()
        except EOFError:
            return self._replace(worker)
        if worker.task is None:
            if isinstance(reply, WorkerError):
                raise WorkerStartError(reply.message)
            worker.ready = True
            self._idle.append(worker)
            return None
        ticket, worker.task = worker.task, None
        self._idle.append(worker)
        return ticket.job, cast("Result | WorkerError", reply)

    def _replace(self, dead: AnyWorker) -> tuple[Job, WorkerError] | None:
        cause, ticket = dead.end(), cast("Ticket[Job] | None", dead.task)
        if not (dead.ready or dead.machine_lost):
            raise self._start_error(cause) from None
        self._workers[self._workers.index(dead)] = self._new_worker()
        if ticket is None:
            self._idle.remove(dead)
            return None
        ticket.deaths += not dead.machine_lost
        if ticket.deaths < MAX_TRIES:
            self._queue.appendleft(ticket)
            return None
        message = f"The worker process died during this job, {MAX_TRIES} times; the last time: {cause}. "
        return ticket.job, WorkerError(message=message + "Is there enough memory?")
