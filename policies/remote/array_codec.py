"""Messages of the openpi protocol as bytes: msgpack, with NumPy arrays as maps of a data type, a shape and raw bytes.

An array is a map with the keys `__ndarray__`, `data`, `dtype` and `shape`, a NumPy scalar one with `__npgeneric__`,
`data` and `dtype`; these keys are bytes, all other keys text. What comes from a network is checked before memory is
allocated for it.
"""

import math
import re
from collections.abc import Mapping
from itertools import count
from typing import Any

import numpy as np

from ambidex.errors import AmbidexError, MissingPackageError

try:
    import msgpack
except ModuleNotFoundError as missing:
    raise MissingPackageError(missing, "remote", "A policy over a network") from missing

ARRAY, SCALAR, DATA, DTYPE, SHAPE = b"__ndarray__", b"__npgeneric__", b"data", b"dtype", b"shape"
DTYPE_TEXT = re.compile(r"[<>=|]?[?bifuSU]\d{0,9}", re.ASCII)  # as `numpy.dtype.str` writes them
SCALAR_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "b": bool,
    "i": int,
    "u": int,
    "f": (int, float),
    "S": bytes,
    "U": str,
}
"""Kind of a NumPy data type -> what a scalar of it is in msgpack."""
MAX_ITEMS = 10_000  # of a list or map: msgpack allocates as many as its header announces
MAX_LISTS = 10_000  # and maps of a message: an empty one is a byte, and a hundred in memory
MAX_CODE_POINT = 0x10FFFF


class InvalidMessageError(AmbidexError):
    """A message between a policy and its client that cannot be read, or a value that cannot be in one."""


def pack(value: object) -> bytes:
    """A message as bytes: maps, lists, text, bytes, numbers, booleans, None, NumPy arrays and NumPy scalars.

    Raises:
        InvalidMessageError: Something else, such as an array of objects or of complex numbers, or nested too deeply.
    """
    try:
        packed: bytes = msgpack.packb(value, default=_packable)
        return packed
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InvalidMessageError(f"A message cannot be written: {error}.") from error


def unpack(frame: bytes) -> Any:
    """Inverse of `pack`; tuples come back as lists, arrays in C order, writeable and with memory of their own.

    Raises:
        InvalidMessageError: It is no such message.
    """
    numbers = count(1)

    def counted(value: Any) -> Any:
        if next(numbers) > MAX_LISTS:
            raise ValueError(f"it has more than {MAX_LISTS} lists and maps")
        return _restored(value) if isinstance(value, dict) else value

    try:
        limits = {"max_array_len": MAX_ITEMS, "max_map_len": MAX_ITEMS, "max_ext_len": 0}
        return msgpack.unpackb(frame, object_hook=counted, list_hook=counted, **limits)
    except (ValueError, TypeError, OverflowError, RecursionError, MemoryError, msgpack.UnpackException) as error:
        reason = str(error).rstrip(".") or type(error).__name__
        problem = f"A message of {len(frame)} bytes cannot be read: {reason}."
        raise InvalidMessageError(problem, size=len(frame)) from error


def _packable(value: object) -> dict[bytes, object]:
    if not isinstance(value, np.ndarray | np.generic):
        raise TypeError(f"it has a value of type {type(value).__name__}")
    if value.dtype.kind not in SCALAR_TYPES:
        raise TypeError(f"it has an array of type {value.dtype}")
    if isinstance(value, np.ndarray):
        return {ARRAY: True, DATA: value.tobytes(), DTYPE: value.dtype.str, SHAPE: value.shape}
    return {SCALAR: True, DATA: value.item(), DTYPE: value.dtype.str}


def _restored(values: dict[str | bytes, Any]) -> object:
    if ARRAY in values:
        return _array(values.get(DATA), _dtype(values.get(DTYPE)), values.get(SHAPE))
    if SCALAR in values:
        return _scalar(values.get(DATA), _dtype(values.get(DTYPE)))
    unexpected = next((key for key in values if isinstance(key, bytes)), None)
    if unexpected is not None:
        raise ValueError(f"the key {unexpected!r} is not text")
    return values


def _dtype(text: object) -> "np.dtype[Any]":
    if not isinstance(text, str) or not DTYPE_TEXT.fullmatch(text):
        raise ValueError(f"got the data type {text!r:.40}, expected one of booleans, numbers, bytes or text")
    dtype = np.dtype(text)
    if not dtype.itemsize:
        raise ValueError(f"the data type {text!r} has no bytes")
    return dtype


def _array(data: object, dtype: "np.dtype[Any]", shape: object) -> np.ndarray[Any, Any]:
    if not isinstance(data, bytes):
        raise ValueError(f"the data of an array are of type {type(data).__name__}")
    if not isinstance(shape, list) or not all(type(side) is int and side >= 0 for side in shape):
        raise ValueError(f"got the shape {shape!r:.80}")
    if math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"an array of {dtype} and shape {shape!s:.80} has {len(data)} bytes of data")
    array = np.ndarray(tuple(shape), dtype, data).copy()
    if dtype.kind == "U" and data and np.frombuffer(data, f"{dtype.str[0]}u4").max() > MAX_CODE_POINT:
        raise ValueError("an array of text has a character that does not exist")
    return array


def _scalar(data: object, dtype: "np.dtype[Any]") -> object:
    expected = SCALAR_TYPES[dtype.kind]
    if not isinstance(data, expected) or (isinstance(data, bool) and dtype.kind != "b"):
        raise ValueError(f"a scalar of {dtype} has a value of type {type(data).__name__}")
    with np.errstate(all="ignore"):
        return dtype.type(data)
