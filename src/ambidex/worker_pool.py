"""A pool of worker processes that hands out jobs and survives workers that die, and what it shares with other pools."""

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar, cast

from ambidex.atomic_files import system_error
from ambidex.errors import AmbidexError, DatasetError, UsageError

Task = TypeVar("Task")

# One thread per worker: the threads of Mesa and BLAS in several processes slow each other down. Variables that the
# user has set stay.
SINGLE_THREADED = {"LP_NUM_THREADS": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
UNGUARDED = 75  # exit status of a worker that would start workers itself
EXIT_TIMEOUT_S = 5.0  # for an idle worker to exit [s]
STOP_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2})
"""Ctrl-C, and what a closed terminal and batch schedulers send, to all processes of a command; its first one acts."""


@dataclass(frozen=True, kw_only=True)
class WorkerError:
    """The error of a job, as a value that crosses process boundaries.

    Attributes:
        message: What to show a user.
        traceback: Where it was raised; empty if the process died.
        kind: Name of the exception's type; empty if the process died.
    """

    message: str
    traceback: str = ""
    kind: str = ""

    def raised(self, problem: str, path: Path) -> DatasetError:
        """The error to raise in the parent: what was to be written to `path` is not, with the traceback as a note."""
        error = DatasetError(f"{problem} {self.message}", path=path)
        error.add_note(self.traceback)
        return error


def attempt(handler: Callable[[object], object], job: object) -> object:
    """The handler's result, or a `WorkerError` if it raised an exception."""
    try:
        return handler(job)
    except Exception as exception:  # the parent decides what an error means
        return describe(exception)


def describe(exception: Exception) -> WorkerError:
    """An exception as a value that can be pickled."""
    known = system_error(exception) if isinstance(exception, OSError | MemoryError) else exception
    message = str(known) if isinstance(known, AmbidexError) else f"{type(exception).__name__}: {exception}"
    lines = traceback.format_exception(exception)
    return WorkerError(message=message, traceback="".join(lines), kind=type(exception).__name__)


class Worker(Protocol[Task]):
    """The parent's side of one worker.

    Attributes:
        ready: It has made its handler.
        task: The job it works on; None when idle.
    """

    ready: bool
    task: Task | None

    @property
    def machine_lost(self) -> bool:
        """It died because its machine is gone, which is not the fault of its job."""
        ...

    def send(self, task: Task, job: object) -> None:
        """Send a job to an idle worker. If it has died, the next `receive` raises."""
        ...

    def receive(self) -> object:
        """The worker's next reply: None or a `WorkerError` when it has started, then the result of each job. Blocks.

        Raises:
            EOFError: The worker has died.
        """
        ...

    def end(self) -> str:
        """End the worker; returns how it ended."""
        ...


class WorkerProcess(Generic[Task]):
    """One worker process, see `Worker`.

    Attributes:
        connection: Readable when the worker has sent a reply, or has died.
        machine_lost: Never: it runs on this machine.
    """

    machine_lost = False

    def __init__(self, pickled_factory: bytes) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.ready = False
        self.task: Task | None = None
        self._process = context.Process(target=_work, args=(theirs, pickled_factory), daemon=True)
        with _worker_environment():
            self._process.start()
        theirs.close()

    def send(self, task: Task, job: object) -> None:
        self.task = task
        with suppress(OSError):
            self.connection.send(job)

    def receive(self) -> object:
        try:
            return self.connection.recv()
        except OSError as error:
            raise EOFError from error

    def end(self) -> str:
        """End the process, by a signal unless it is idle; returns how it ended."""
        if self.task is not None or not self.ready:
            self._process.kill()
        self.connection.close()
        self._process.join(EXIT_TIMEOUT_S)
        self._process.kill()
        self._process.join()
        code = self._process.exitcode or 0
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"


@contextmanager
def _worker_environment() -> Iterator[None]:
    """Set the environment of a new process, and leave signals to the parent."""
    added = {name: value for name, value in SINGLE_THREADED.items() if name not in os.environ}
    os.environ.update(added)
    try:
        with stop_signals_blocked():
            yield
    finally:
        for name in added:
            del os.environ[name]


@contextmanager
def stop_signals_blocked() -> Iterator[None]:
    """Block `STOP_SIGNALS` in the processes and threads that start within the block."""
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    resource_tracker.ensure_running()  # else starting the first process would, and unblock some of them
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _work(connection: "Connection[object, object]", pickled_factory: bytes) -> None:
    exit_with_parent()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # with which Python ends workers when it exits
    try:
        handler = pickle.loads(pickled_factory)()
    except Exception as exception:
        connection.send(describe(exception))
        return
    with suppress(EOFError, OSError):  # the parent has closed the connection
        connection.send(None)
        while True:
            _reply(connection, attempt(handler, connection.recv()))


def _reply(connection: "Connection[object, object]", result: object) -> None:
    try:
        connection.send(result)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        connection.send(describe(error))


def end_if_importing_script() -> None:
    """End a worker process that is still importing its parent's script, which would do its work a second time."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # as multiprocessing tells it
        raise SystemExit(UNGUARDED)


def exit_with_parent() -> None:
    """Let this process end when its parent does, also if the parent is killed, or is dead already."""
    threading.Thread(target=_wait_for_end_of_parent, daemon=True).start()


def _wait_for_end_of_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


Job = TypeVar("Job")
Result = TypeVar("Result")
MAX_TRIES = 2  # of a job whose worker dies


class WorkerStartError(AmbidexError):
    """No worker could make its handler."""


def worker_count(requested: int | None, jobs: int) -> int:
    """Number of workers to use: as requested, else one per usable CPU; at most one per job."""
    if requested is not None:
        return min(requested, jobs)
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(usable, jobs))


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
