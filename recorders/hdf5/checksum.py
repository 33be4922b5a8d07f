"""A checksum over the metadata of an HDF5 file, in a few bytes after its end that HDF5 ignores.

Damaged metadata can make HDF5 loop for ever, crash the process or return a black frame in silence (all three were
seen when random bytes were changed), so the checksum is compared before HDF5 opens the file. Data are left out:
compressed frames and fields have checksums of their own. So are the consistency flags of the superblock, which HDF5
sets while a file is open for writing and leaves set if the process is killed.
"""

import io
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import h5py

from ambidex.errors import DatasetError
from ambidex.recorders.dataset.repair import repair_hint

_MAGIC = b"ambidex\n"
_EXTENT = struct.Struct("<QQ")  # offset, length [B]
_FLAGS = slice(20, 24)  # of the superblock of version 0, which `LIBVER` gives; 0 in a file that was closed
_FOOTER = struct.Struct("<8sII")  # magic, number of extents, CRC-32 of extents and metadata

Extents = list[tuple[int, int]]


class _Readable(Protocol):
    def seek(self, offset: int, whence: int = 0, /) -> int: ...
    def read(self, size: int, /) -> bytes: ...


def checksum_footer(file: _Readable) -> bytes:
    """The bytes to append to a finished HDF5 file: where its metadata are, and their CRC-32."""
    with h5py.File(file, "r") as opened:
        data = _data_extents(opened)
    extents = _gaps(data, file.seek(0, io.SEEK_END))
    return _packed(extents) + _FOOTER.pack(_MAGIC, len(extents), _checksum(file, extents))


def verify_checksum(path: Path) -> None:
    """Raise unless the metadata of a file are as they were written.

    A file without a checksum passes: other tools write none when they repack a file.

    Raises:
        DatasetError: The metadata are damaged.
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        footer = _last_bytes(file, _FOOTER.size)
        if len(footer) < _FOOTER.size or not footer.startswith(_MAGIC):
            return
        _, count, checksum = _FOOTER.unpack(footer)
        table = _last_bytes(file, _FOOTER.size + count * _EXTENT.size)[: -_FOOTER.size]
        extents: Extents = list(_EXTENT.iter_unpack(table)) if len(table) == count * _EXTENT.size else []
        length = sum(length for _, length in extents)
        if not 0 < length <= file.seek(0, io.SEEK_END) or _checksum(file, extents) != checksum:
            problem = f"{path}, structure of the file: its checksum differs, so it was damaged after recording."
            raise DatasetError(problem, repair_hint(path), path=path)


def _data_extents(file: h5py.File) -> Extents:
    """Offset and length of everything that is not metadata."""
    extents: Extents = []

    def visit(_: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset) and item.chunks:
            item.id.chunk_iter(lambda chunk: extents.append((chunk.byte_offset, chunk.size)))
        elif isinstance(item, h5py.Dataset) and item.id.get_offset() is not None:
            extents.append((item.id.get_offset(), item.id.get_storage_size()))

    file.visititems(visit)
    return extents


def _gaps(data: Iterable[tuple[int, int]], end: int) -> Extents:
    """The parts of [0, end) that are not data."""
    gaps, position = [], 0
    for offset, length in [*sorted(data), (end, 0)]:
        if offset > position:
            gaps.append((position, offset - position))
        position = offset + length
    return gaps


def _checksum(file: _Readable, extents: Extents) -> int:
    checksum = zlib.crc32(_packed(extents))
    for offset, length in extents:
        file.seek(offset)
        content = bytearray(file.read(length))
        if offset == 0 and length >= _FLAGS.stop:
            content[_FLAGS] = bytes(4)
        checksum = zlib.crc32(content, checksum)
    return checksum


def _packed(extents: Extents) -> bytes:
    return b"".join(_EXTENT.pack(*extent) for extent in extents)


def _last_bytes(file: _Readable, count: int) -> bytes:
    end = file.seek(0, io.SEEK_END)
    file.seek(max(0, end - count))
    return file.read(count)
