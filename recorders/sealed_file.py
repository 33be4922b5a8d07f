"""HDF5 files that appear whole and sealed, or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from ambidex.atomic_files import replacing
from ambidex.recorders.hdf5_seal import append_seal
from ambidex.recorders.hdf5_sink import Hdf5Sink

LIBVER = "earliest"  # readable by every HDF5


@contextmanager
def sealed_file(path: Path) -> Iterator[tuple[h5py.File, Hdf5Sink]]:
    """An HDF5 file to fill, which takes the place of `path` when the block ends well; on any exception it goes.

    Yields:
        The file, and where it goes: `raise_error` of that tells early that the disk refuses.

    Raises:
        DatasetError: It cannot be written; what was there before stays.
    """
    with replacing(path) as temporary, Hdf5Sink(temporary) as sink:
        with h5py.File(sink, "w", libver=LIBVER) as file:
            yield file, sink
        append_seal(sink)
