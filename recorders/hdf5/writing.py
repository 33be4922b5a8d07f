"""Writes HDF5 files that appear whole or not at all; the same input gives the same bytes."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import h5py
import numpy as np

from ambidex.atomic_files import replacing
from ambidex.recorders.hdf5.checksum import checksum_footer

LIBVER = "earliest"  # readable by every HDF5


class Hdf5Sink:
    """What `h5py.File(sink, "w")` writes to. It remembers the first failed write and raises it afterwards.

    When a write to a plain file fails, HDF5 fails again at close, keeps the file open and, as measured with HDF5 2.0,
    crashes the process at exit. This sink reports success to HDF5, so that it closes cleanly; `raise_error` inside the
    writing loop and the end of the `with` block raise the error.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b", buffering=0)
        self._position = 0
        self._error: BaseException | None = None

    def raise_error(self) -> None:
        """Raise the error of the first write that failed, if any."""
        if self._error is not None:
            raise self._error

    def write(self, data: memoryview) -> int:
        view = memoryview(data)  # h5py passes a view type of its own
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
        """No-op: writes are not buffered."""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._file.seek(0, io.SEEK_END)}
        self._position = start[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()
        if exception[0] is None:
            self.raise_error()

    def _write(self, view: memoryview) -> None:
        if self._error is None:
            self._file.seek(self._position)
            while view:  # a full disk may accept a part first
                view = view[self._file.write(view) :]


@contextmanager
def atomic_hdf5_file(path: Path) -> Iterator[tuple[h5py.File, Hdf5Sink]]:
    """An HDF5 file to fill. It replaces `path` when the block ends without an error; otherwise it is removed.

    A checksum of its metadata is appended, see `recorders/hdf5/checksum.py`.

    Yields:
        The file, and its sink, whose `raise_error` tells early that the disk is full.

    Raises:
        DatasetError: It cannot be written; an older file stays as it was.
    """
    with replacing(path) as temporary, Hdf5Sink(temporary) as sink:
        with h5py.File(sink, "w", libver=LIBVER) as file:
            yield file, sink
        sink.raise_error()
        footer = checksum_footer(sink)
        sink.seek(0, io.SEEK_END)
        sink.write(memoryview(footer))


def write_array(group: h5py.Group, name: str, array: "np.ndarray[Any, Any]", *, compressed: bool) -> None:
    """Write a whole array as a dataset, compressed with HDF5's gzip filter if asked for."""
    options = {"chunks": array.shape, "compression": "gzip", "compression_opts": 1} if compressed and array.size else {}
    group.create_dataset(name, data=array, track_times=False, **options)
