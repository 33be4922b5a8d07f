"""A file that HDF5 can always close, even when the disk is full."""

import io
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np


class Hdf5Sink:
    """What `h5py.File(sink, "w")` writes to. It remembers the first failed write and raises it afterwards.

    Why: when a write to a plain file fails, HDF5 fails again at close, keeps the file open and, as measured with
    HDF5 2.0, crashes the process at exit. Here HDF5 hears that everything went well, so it closes cleanly;
    `raise_error` inside the writing loop and the end of the `with` block tell the truth.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b", buffering=0)
        self._position = 0
        self._error: BaseException | None = None

    def raise_error(self) -> None:
        """Raise the first error that a write met, if any."""
        if self._error is not None:
            raise self._error

    def write(self, data: memoryview) -> int:
        view = memoryview(data)  # h5py gives a view type of its own, of bytes
        try:
            self._write(view)
        except BaseException as error:  # even Ctrl-C must not unwind through the C code of HDF5
            self._error = self._error or error
        self._position += len(view)
        return len(view)

    def truncate(self, size: int) -> int:
        try:
            if self._error is None:
                self._file.truncate(size)
        except BaseException as error:  # as in write
            self._error = error
        return size

    def read(self, size: int) -> bytes:
        self._file.seek(self._position)
        data = self._file.read(size) or b""
        self._position += len(data)
        return data

    def flush(self) -> None:
        """Nothing is buffered here."""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._file.seek(0, io.SEEK_END)}
        self._position = start[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if error is None:
            self.raise_error()

    def _write(self, view: memoryview) -> None:
        if self._error is None:
            self._file.seek(self._position)
            while view:  # a full disk may take a part first
                view = view[self._file.write(view) :]


# FOLDED recorders.hdf5_array: Whole arrays in HDF5 files, written so that the same input gives the same bytes.


def write_array(group: h5py.Group, name: str, array: "np.ndarray[Any, Any]", *, compressed: bool) -> None:
    """Write an array as a dataset of its own, through HDF5's gzip filter if asked for."""
    options = {"chunks": array.shape, "compression": "gzip", "compression_opts": 1} if compressed and array.size else {}
    group.create_dataset(name, data=array, track_times=False, **options)
