"""The parent's side of a worker, and the errors of its jobs."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from ambidex.atomic_files import system_error
from ambidex.errors import AmbidexError, DatasetError

Task = TypeVar("Task")


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
