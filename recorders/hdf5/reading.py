"""Reads HDF5 files that may be damaged or foreign, and says so in words."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ambidex.errors import AmbidexError, DatasetError
from ambidex.recorders.dataset.repair import remedy
from ambidex.recorders.hdf5.checksum import check_seal

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
# One frame of a training set is read at a time, so a cache of decoded frames per open file would only cost memory.
_NO_CHUNK_CACHE = 0


@contextmanager
def reading(path: Path, field: str) -> Iterator[None]:
    """Turn whatever goes wrong while `field` is read into a DatasetError that names it.

    Everything is caught: damaged bytes go through HDF5, zlib, Pillow and json, which do not say what they raise.
    """
    try:
        yield
    except AmbidexError:
        raise
    except Exception as error:
        first_line = (str(error).splitlines() or [""])[0]
        raise DatasetError(
            f"{path}, {field}: the file is damaged here and cannot be read ({type(error).__name__}: {first_line}). "
            f"{remedy(path)}"
        ) from error


class Hdf5Source:
    """An HDF5 file open for reading."""

    def __init__(self, path: Path) -> None:
        self._path = path
        _check_signature(path)
        with reading(path, "structure of the file (truncated?)"):
            check_seal(path)
            self._file = h5py.File(path, "r", rdcc_nbytes=_NO_CHUNK_CACHE)

    def attribute(self, name: str, kind: type, group: str = "/") -> Any:
        """The value of an attribute of a group, an instance of `kind`."""
        with reading(self._path, f"attribute {name!r}" + (f" of {group}" if group != "/" else "")):
            if group not in self._file or name not in self._file[group].attrs:
                raise _foreign(self._path, f"attribute {name!r}" + (f" of {group}" if group != "/" else ""))
            value = self._file[group].attrs[name]
            if not isinstance(value, kind):
                raise TypeError(f"{type(value).__name__}, expected {kind.__name__}")
            return value

    def has(self, name: str) -> bool:
        """Whether there is a dataset or group of this name."""
        with reading(self._path, f"field {name}"):
            return name in self._file

    def names(self, group: str) -> list[str]:
        """What a group holds."""
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
            start = file.read(len(_SIGNATURE))
    except OSError as error:
        raise DatasetError(f"{path} cannot be opened: {error.strerror}. Check the path.") from error
    if start != _SIGNATURE:
        kind = "an empty file" if not start else "no HDF5 file"
        raise DatasetError(
            f"{path} is {kind}: it begins with {start!r}, expected {_SIGNATURE!r}. Expected an episode file that "
            f"record-episodes wrote. {remedy(path)}"
        )


def _foreign(path: Path, what: str) -> DatasetError:
    return DatasetError(
        f"{path} has no {what}. Only files recorded by this project carry it; those of the original ACT and LIBERO "
        "code do not hold all that it takes to render or replay them. Record the dataset with record-episodes."
    )
