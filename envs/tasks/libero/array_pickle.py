"""The one thing an init-state file holds: a pickled array of 64-bit numbers, put together without unpickling."""

import math

import numpy as np

from ambidex.envs.tasks.libero.inert_pickle import Call, Name, PickleRefusedError, read_inert
from ambidex.envs.types import FloatArray

RECONSTRUCT = frozenset({"numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"})
NDARRAY, DTYPE, ENCODE = "numpy.ndarray", "numpy.dtype", "_codecs.encode"
PERMITTED = RECONSTRUCT | {NDARRAY, DTYPE, ENCODE}
LITTLE_ENDIAN = "<"


def read_array(pickle: bytes) -> FloatArray:
    """The float64 array of a pickle, of any shape.

    Raises:
        PickleRefusedError: It holds something else. Nothing of it has been run.
    """
    value = read_inert(pickle, PERMITTED)
    if not (isinstance(value, Call) and value.function.text in RECONSTRUCT and isinstance(value.state, tuple)):
        raise PickleRefusedError("it holds something else than one array")
    if len(value.state) != 5:
        raise PickleRefusedError("its array is described in an unknown way")
    _, shape, dtype, by_columns, numbers = value.state
    _check_dtype(dtype)
    content, lengths = _content(numbers), _shape(shape)
    if len(content) != 8 * math.prod(lengths):
        raise PickleRefusedError(f"its array of shape {lengths} should have 8 bytes a number, got {len(content)} bytes")
    flat = np.frombuffer(content, np.dtype("<f8")).astype(np.float64)
    return flat.reshape(lengths, order="F" if by_columns is True else "C").copy(order="C")


def _shape(shape: object) -> tuple[int, ...]:
    if not isinstance(shape, tuple) or len(shape) > 8:
        raise PickleRefusedError("its array has no shape")
    lengths = tuple(length for length in shape if isinstance(length, int) and length > 0)
    if len(lengths) != len(shape):
        raise PickleRefusedError("its array's shape is not made of lengths")
    return lengths


def _check_dtype(dtype: object) -> None:
    known = isinstance(dtype, Call) and dtype.function == Name(DTYPE) and dtype.arguments[:1] == ("f8",)
    if not known or not isinstance(dtype, Call):
        raise PickleRefusedError("its array is not made of 64-bit floating-point numbers")
    state = dtype.state
    if not isinstance(state, tuple) or len(state) < 2 or state[1] != LITTLE_ENDIAN:
        raise PickleRefusedError("its numbers are not in little-endian order")


def _content(numbers: object) -> bytes:
    """Bytes, or text that a pickle of an old protocol wants encoded as latin-1."""
    if isinstance(numbers, bytes):
        return numbers
    if isinstance(numbers, Call) and numbers.function == Name(ENCODE) and len(numbers.arguments) == 2:
        text, encoding = numbers.arguments
        if isinstance(text, str) and encoding in ("latin1", "latin-1"):
            return _latin1(text)
    raise PickleRefusedError("its numbers are not stored as bytes")


def _latin1(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise PickleRefusedError("its numbers are not stored as bytes") from None
