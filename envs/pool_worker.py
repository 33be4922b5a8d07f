"""One worker process of a pool: what runs in it, and the handle its parent holds."""

import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Generic, TypeVar

from ambidex.envs.errors import AmbidexError

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
