"""One process at a time may write into a dataset folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ambidex.atomic_files import write_error
from ambidex.errors import DatasetError

LOCK = ".lock"


@contextmanager
def claimed(directory: Path) -> Iterator[None]:
    """Make the folder if need be and keep other runs out of it; the kernel lets go when this process ends, however.

    A folder that was made here and is still empty in the end is removed.

    Raises:
        DatasetError: The folder cannot be made or written to, or another run is writing to it.
    """
    existed = directory.exists()
    descriptor = _locked_file(directory)
    try:
        yield
    finally:
        with suppress(OSError):
            (directory / LOCK).unlink()
        os.close(descriptor)
        if not existed:
            with suppress(OSError):
                directory.rmdir()


def _locked_file(directory: Path) -> int:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        while (descriptor := _try_lock(directory / LOCK)) is None:
            pass
    except BlockingIOError as error:
        raise DatasetError(
            f"Another run is writing into {directory}. Wait until it is done, or give another --output-dir."
        ) from error
    except OSError as error:
        raise write_error(directory, error) from error
    return descriptor


def _try_lock(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
    except FileNotFoundError:
        pass
    except OSError:
        os.close(descriptor)
        raise
    os.close(descriptor)  # the last owner removed the file between our calls
    return None
