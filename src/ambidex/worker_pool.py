"""The same work over worker processes; the seam where a cluster engine comes in."""

import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Generic, Self, TypeVar, cast

from ambidex.errors import AmbidexError, UsageError

Task = TypeVar("Task")

# One process is one thread of work: more threads (Mesa's, BLAS's) only wait for each other. What the user set stays.
SINGLE_THREADED = {"LP_NUM_THREADS": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
PATIENCE_S = 5.0  # how long an idle worker may take to leave [s]


@dataclass(frozen=True, kw_only=True)
class WorkerError:
    """What went wrong with a job, as a value.

    Attributes:
        message: One paragraph.
        traceback: Where it was raised; empty if the process died.
    """

    message: str
    traceback: str = ""


def attempt(handler: Callable[[object], object], job: object) -> object:
    """The handler's result, or a `WorkerError` for whatever it raised."""
    try:
        return handler(job)
    except Exception as exception:  # the job's failure is its result; the parent decides what it means
        return describe(exception)


def describe(exception: Exception) -> WorkerError:
    """An exception as a value that any process can read."""
    known = isinstance(exception, AmbidexError)
    message = str(exception) if known else f"{type(exception).__name__}: {exception}"
    return WorkerError(message=message, traceback="".join(traceback.format_exception(exception)))


class WorkerProcess(Generic[Task]):
    """The parent's handle of one worker.

    Attributes:
        connection: Readable when the worker has something to say, or is dead.
        ready: It has made its handler.
        task: What it works on, None when idle.
    """

    def __init__(self, pickled_factory: bytes) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.ready = False
        self.task: Task | None = None
        self._process = context.Process(target=_work, args=(theirs, pickled_factory), daemon=True)
        with _start_conditions():
            self._process.start()
        theirs.close()

    def send(self, task: Task, job: object) -> None:
        """Give an idle worker something to do. If it is dead, the next `receive` says so."""
        self.task = task
        with suppress(OSError):
            self.connection.send(job)

    def receive(self) -> object:
        """The worker's next word; blocks until there is one.

        Raises:
            EOFError: The worker is dead.
        """
        try:
            return self.connection.recv()
        except OSError as error:
            raise EOFError from error

    def end(self) -> str:
        """End the process, at once unless it is idle, and say how it ended."""
        if self.task is not None or not self.ready:
            self._process.kill()
        self.connection.close()
        self._process.join(PATIENCE_S)
        self._process.kill()
        self._process.join()
        code = self._process.exitcode or 0
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


@contextmanager
def _start_conditions() -> Iterator[None]:
    """The environment, and SIGINT blocked: Ctrl-C is the parent's business from a worker's first instruction on."""
    resource_tracker.ensure_running()  # else the first start would do it, and unblock SIGINT on the way
    added = {name: value for name, value in SINGLE_THREADED.items() if name not in os.environ}
    os.environ.update(added)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for name in added:
            del os.environ[name]


def _work(connection: "Connection[object, object]", pickled_factory: bytes) -> None:
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    try:
        handler = pickle.loads(pickled_factory)()
    except Exception as exception:
        connection.send(describe(exception))
        return
    with suppress(EOFError, OSError):  # the parent has closed its end: done
        connection.send(None)
        while True:
            _reply(connection, attempt(handler, connection.recv()))


def _reply(connection: "Connection[object, object]", result: object) -> None:
    try:
        connection.send(result)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        connection.send(describe(error))


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


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
