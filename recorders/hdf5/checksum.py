"""A checksum over the metadata of an HDF5 file, in a few bytes after its end that HDF5 ignores.

Damaged metadata can make HDF5 loop for ever, crash the process or return a black frame in silence (all three were
seen when random bytes were changed), so the reader checks it before HDF5 looks at it. Data need no seal: compressed
frames and the fields have checksums of their own.
"""

import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Protocol

import h5py

from ambidex.atomic_files import replacing
from ambidex.errors import DatasetError
from ambidex.recorders.dataset.repair import remedy
from ambidex.recorders.hdf5.sink import Hdf5Sink

_MAGIC = b"ambidex\n"
_EXTENT = struct.Struct("<QQ")  # offset, length [B]
_FOOTER = struct.Struct("<8sII")  # magic, number of extents, CRC-32 of extents and metadata

Extents = list[tuple[int, int]]


class _Readable(Protocol):
    def seek(self, offset: int, whence: int = 0, /) -> int: ...
    def read(self, size: int, /) -> bytes: ...


def append_seal(sink: Hdf5Sink) -> None:
    """Seal a finished file. Raises what a write to it met, if any."""
    sink.raise_error()
    with h5py.File(sink, "r") as file:
        data = _data_extents(file)
    end = sink.seek(0, io.SEEK_END)
    extents = _between(data, end)
    footer = _FOOTER.pack(_MAGIC, len(extents), _checksum(sink, extents))
    sink.seek(end)
    sink.write(memoryview(_packed(extents) + footer))


def check_seal(path: Path) -> None:
    """Refuse a file whose metadata changed. A file without a seal (repacked by another tool) passes.

    A file that passed is not looked at again by this process until it changes: a training opens every demonstration of
    a file that holds many.

    Raises:
        DatasetError: The metadata is damaged.
        OSError: The file cannot be read.
    """
    state = path.stat()
    _check_once(path, state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=4096)
def _check_once(path: Path, device: int, inode: int, size: int, changed: int) -> None:
    with path.open("rb") as file:
        footer = _last_bytes(file, _FOOTER.size)
        if len(footer) < _FOOTER.size or not footer.startswith(_MAGIC):
            return
        _, count, checksum = _FOOTER.unpack(footer)
        table = _last_bytes(file, _FOOTER.size + count * _EXTENT.size)[: -_FOOTER.size]
        extents: Extents = list(_EXTENT.iter_unpack(table)) if len(table) == count * _EXTENT.size else []
        length = sum(length for _, length in extents)
        if not 0 < length <= file.seek(0, io.SEEK_END) or _checksum(file, extents) != checksum:
            raise DatasetError(
                f"{path}, structure of the file: its checksum differs, so the file was damaged after recording. "
                f"{remedy(path)}"
            )


def _data_extents(file: h5py.File) -> Extents:
    """Offset and length of all that is no metadata."""
    extents: Extents = []

    def visit(_: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset) and item.chunks:
            item.id.chunk_iter(lambda chunk: extents.append((chunk.byte_offset, chunk.size)))
        elif isinstance(item, h5py.Dataset) and item.id.get_offset() is not None:
            extents.append((item.id.get_offset(), item.id.get_storage_size()))

    file.visititems(visit)
    return extents


def _between(data: Iterable[tuple[int, int]], end: int) -> Extents:
    """The pieces of [0, end) that are not data."""
    pieces, position = [], 0
    for offset, length in [*sorted(data), (end, 0)]:
        if offset > position:
            pieces.append((position, offset - position))
        position = offset + length
    return pieces


def _checksum(file: _Readable, extents: Extents) -> int:
    checksum = zlib.crc32(_packed(extents))
    for offset, length in extents:
        file.seek(offset)
        checksum = zlib.crc32(file.read(length), checksum)
    return checksum


def _packed(extents: Extents) -> bytes:
    return b"".join(_EXTENT.pack(*extent) for extent in extents)


def _last_bytes(file: BinaryIO, count: int) -> bytes:
    end = file.seek(0, io.SEEK_END)
    file.seek(max(0, end - count))
    return file.read(count)


# FOLDED recorders.sealed_file: HDF5 files that appear whole and sealed, or not at all.

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
