"""Folders that appear whole or not at all, as `atomic_files` does it for files."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ambidex.atomic_files import write_error


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """A temporary folder that takes the place of `path` when all is in it and on the disk; on any exception it goes.

    The temporary name is hidden: `.NAME.tmp-PID`.

    Raises:
        DatasetError: It cannot be written; what was there before stays.
    """
    temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        yield temporary
        for inner in [*temporary.rglob("*"), temporary]:
            _sync(inner)
        if path.exists():
            shutil.rmtree(path)
        temporary.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
