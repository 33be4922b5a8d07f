"""Reads HDF5 files that may be damaged or foreign, with errors that name the file and the field."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np

from ambidex.errors import AmbidexError, DatasetError
from ambidex.recorders.dataset.repair import repair_hint
from ambidex.recorders.hdf5.checksum import verify_checksum

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
# One frame of a training set is read at a time, so a cache of decoded frames per open file would only cost memory.
_NO_CHUNK_CACHE = 0


@contextmanager
def reading(path: Path, field: str) -> Iterator[None]:
    """Turn any error while `field` is read into a DatasetError that names it.

    Everything is caught: damaged bytes go through HDF5, zlib, Pillow and json, which do not document what they raise.
    """
    try:
        yield
    except AmbidexError:
        raise
    except Exception as error:
        cause = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
        problem = f"{path}, {field}: the file is damaged here and cannot be read ({cause})."
        raise DatasetError(problem, repair_hint(path), path=path, field=field) from error


class Hdf5Source:
    """An HDF5 file open for reading.

    Raises:
        DatasetError: The file is missing, no HDF5 file, damaged, or open for writing in another program. The methods
            raise it for what they read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        _check_signature(path)
        with reading(path, "structure of the file (truncated?)"):
            verify_checksum(path)
            self._file = h5py.File(path, "r", rdcc_nbytes=_NO_CHUNK_CACHE)

    def attribute(self, name: str, kind: type, group: str = "/") -> Any:
        """The value of an attribute of a group, an instance of `kind`."""
        label = f"attribute {name!r}" + (f" of {group}" if group != "/" else "")
        with reading(self._path, label):
            if group not in self._file or name not in self._file[group].attrs:
                raise _foreign(self._path, label)
            value = self._file[group].attrs[name]
            if not isinstance(value, kind):
                raise TypeError(f"{type(value).__name__}, expected {kind.__name__}")
            return value

    def has(self, name: str) -> bool:
        """Whether there is a dataset or group of this name."""
        with reading(self._path, f"field {name}"):
            return name in self._file

    def names(self, group: str) -> list[str]:
        """The names in a group."""
        with reading(self._path, f"group {group}"):
            return list(self._file[group])

    def dataset(self, name: str) -> h5py.Dataset:
        """A dataset, unread."""
        with reading(self._path, f"field {name}"):
            if not self.has(name):
                raise _foreign(self._path, f"field {name}")
            dataset = self._file[name]
            if not isinstance(dataset, h5py.Dataset):
                raise TypeError("a group, expected a dataset")
            return dataset

    def array(self, name: str) -> np.ndarray:
        """A dataset, read whole."""
        dataset = self.dataset(name)
        with reading(self._path, f"field {name}"):
            array: np.ndarray = dataset[()]
            return array

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self._file.close()


def _check_signature(path: Path) -> None:
    try:
        with path.open("rb") as file:
            _check_not_in_use(path, file)
            start = file.read(len(_SIGNATURE))
    except OSError as error:
        raise DatasetError(f"{path} cannot be opened: {error.strerror}.", "Check the path.", path=path) from error
    if start != _SIGNATURE:
        kind = "an empty file" if not start else f"no HDF5 file: it starts with {start!r}"
        raise DatasetError(f"{path} is {kind}.", repair_hint(path), path=path, got=start, expected=_SIGNATURE)


def _check_not_in_use(path: Path, file: BinaryIO) -> None:
    """Raise DatasetError if HDF5 has locked the file for writing, in any process."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError as error:
        problem = f"{path} is in use: another program has it open for writing."
        raise DatasetError(problem, "Close it there, then try again.", path=path) from error
    except OSError:  # a file system without locks
        pass


def _foreign(path: Path, field: str) -> DatasetError:
    problem = f"{path} has no {field}. Files of the original ACT and LIBERO code lack what it takes to replay them."
    return DatasetError(problem, "Record the dataset with record-episodes.", path=path, field=field)
