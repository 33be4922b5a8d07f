"""Worker processes: each makes its handler once, and answers every job that its pipe brings."""

import multiprocessing
import os
import pickle
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Generic

from ambidex.worker_pool.ending import exit_with_parent, stop_signals_blocked
from ambidex.worker_pool.worker import Task, attempt, describe

# One thread per worker: the threads of Mesa and BLAS in several processes slow each other down. Variables that the
# user has set stay.
SINGLE_THREADED = {"LP_NUM_THREADS": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
EXIT_TIMEOUT_S = 5.0  # for an idle worker to exit [s]


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
