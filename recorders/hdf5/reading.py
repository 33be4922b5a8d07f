"""Reads HDF5 files that may be damaged or foreign, with errors that name the file and the field."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np
from h5py import h5l

from ambidex.atomic_files import check_regular_file, read_error
from ambidex.errors import AmbidexError, DatasetError
from ambidex.recorders.dataset.repair import repair_hint
from ambidex.recorders.hdf5.checksum import verify_checksum

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
# One frame of a training set is read at a time, so a cache of decoded frames per open file would only cost memory.
_NO_CHUNK_CACHE = 0
LARGEST_ARRAY = 1 << 28  # [B]; 1,500 states of 1,000 numbers take a twentieth of it


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


def open_hdf5(path: Path) -> h5py.File:
    """Open a file for reading, once its signature and checksum are right and no link in it leads to another file.

    Raises:
        DatasetError: The file is missing, no HDF5 file, damaged, or open for writing in another program, or it has an
            external link.
    """
    _check_signature(path)
    with reading(path, "structure of the file (truncated?)"):
        state = path.stat()
        _check_structure_once(path, state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)
        return h5py.File(path, "r", rdcc_nbytes=_NO_CHUNK_CACHE)


@lru_cache(maxsize=4096)
def _check_structure_once(path: Path, device: int, inode: int, size: int, changed: int) -> None:
    """Not again until the file changes, because training opens every demonstration of a file that holds many."""
    verify_checksum(path)
    with h5py.File(path, "r") as file:
        name = file.id.links.visit(lambda name, link: name if link.type > h5l.TYPE_SOFT else None, info=True)
        if name is not None:
            target = file.get(name, getlink=True)
            to = f"{getattr(target, 'path', 'an object')} of {getattr(target, 'filename', 'another file')}"
            raise _outside(path, f"/{name.decode()}", f"an external link to {to}")


def check_inside(path: Path, dataset: h5py.Dataset) -> None:
    """Raise a DatasetError if the values of a dataset are in another file than `path`."""
    name = str(dataset.name)
    if dataset.external:
        raise _outside(path, name, f"external storage in {dataset.external[0][0]}")
    if dataset.is_virtual:
        raise _outside(path, name, f"a virtual dataset with data of {dataset.virtual_sources()[0].file_name}")


def _outside(path: Path, field: str, what: str) -> DatasetError:
    problem = f"{path}, {field}: it is {what}, and only data in the file itself are read."
    return DatasetError(problem, "If they belong to it, copy them into the file.", path=path, field=field)


class Hdf5Source:
    """An HDF5 file open for reading.

    Raises:
        DatasetError: As of `open_hdf5`. The methods raise it for what they read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = open_hdf5(path)

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

    def has_attribute(self, name: str, group: str = "/") -> bool:
        """Whether a group has an attribute of this name."""
        with reading(self._path, f"attribute {name!r}"):
            return name in self._file[group].attrs

    def attributes(self, group: str) -> dict[str, Any]:
        """The attributes of a group."""
        with reading(self._path, f"attributes of {group}"):
            return dict(self._file[group].attrs)

    def is_dataset(self, name: str) -> bool:
        """Whether what has this name is a dataset, not a group."""
        with reading(self._path, f"field {name}"):
            return isinstance(self._file[name], h5py.Dataset)

    def names(self, group: str) -> list[str]:
        """The names in a group."""
        with reading(self._path, f"group {group}"):
            found = self._file[group]
            if not isinstance(found, h5py.Group):
                raise TypeError("a dataset, expected a group")
            return list(found)

    def dataset(self, name: str) -> h5py.Dataset:
        """A dataset, unread."""
        with reading(self._path, f"field {name}"):
            if not self.has(name):
                raise _foreign(self._path, f"field {name}")
            dataset = self._file[name]
            if not isinstance(dataset, h5py.Dataset):
                raise TypeError("a group, expected a dataset")
            check_inside(self._path, dataset)
            return dataset

    def array(self, name: str) -> np.ndarray:
        """A dataset, read whole. One larger than any that is written is refused: a few kilobytes can stand for it."""
        dataset = self.dataset(name)
        if dataset.nbytes > LARGEST_ARRAY:
            size = f"{dataset.nbytes / 1e6:.0f} MB, expected at most {LARGEST_ARRAY / 1e6:.0f}"
            problem = f"{self._path}, field {name}: got {size}."
            raise DatasetError(problem, repair_hint(self._path), path=self._path, field=name)
        with reading(self._path, f"field {name}"):
            array: np.ndarray = dataset[()]
            return array

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self._file.close()


def _check_signature(path: Path) -> None:
    try:
        check_regular_file(path)
        with path.open("rb") as file:
            _check_not_in_use(path, file)
            start = file.read(len(_SIGNATURE))
    except OSError as error:
        raise read_error(path, error) from error
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
