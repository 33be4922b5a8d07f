"""Reads the pickled array of an initial-state file without executing anything of the pickle.

NumPy's functions cannot be allowed as they are: a pickle can change the dtype of an array of objects, and so insert
pointers of its choice. Therefore every name stands for a record of its call, and the array is made from the records.
"""

import math
import pickle
import pickletools
import warnings
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO

import numpy as np

from ambidex.envs.types import FloatArray

MAX_INSTRUCTIONS = 1000  # an array takes about 60; also limits what a pickle can allocate
INSTRUCTIONS = frozenset(
    "PROTO FRAME STOP MARK NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 BINUNICODE SHORT_BINUNICODE BINUNICODE8 "
    "BINBYTES SHORT_BINBYTES BINBYTES8 EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 BINPUT LONG_BINPUT MEMOIZE BINGET "
    "LONG_BINGET GLOBAL STACK_GLOBAL REDUCE BUILD".split()
)
RECONSTRUCT = ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct")
NDARRAY, DTYPE, ENCODE = "numpy.ndarray", "numpy.dtype", "_codecs.encode"
NAMES = (*RECONSTRUCT, NDARRAY, DTYPE, ENCODE)
DAMAGE = (pickle.UnpicklingError, AttributeError, EOFError, IndexError, KeyError, OverflowError, TypeError, ValueError)


class PickleRefusedError(Exception):
    """A pickle that is damaged, or holds anything but one array of float64."""


def read_array(content: bytes) -> FloatArray:
    """The float64 array of a pickle, of any shape.

    Raises:
        PickleRefusedError: The pickle is damaged or holds anything else.
    """
    try:
        _check_instructions(content)
        value = _Unpickler(BytesIO(content)).load()
    except DAMAGE as error:
        raise PickleRefusedError(f"its pickle is damaged ({str(error)[:80]})") from None
    if not (isinstance(value, _Call) and value.name in RECONSTRUCT and isinstance(value.state, tuple)):
        raise PickleRefusedError("it does not hold one array")
    if len(value.state) != 5:
        raise PickleRefusedError("its array has an unknown format")
    _, shape, dtype, by_columns, numbers = value.state
    _check_dtype(dtype)
    data, lengths = _data(numbers), _lengths(shape)
    if len(data) != 8 * math.prod(lengths):
        raise PickleRefusedError(f"its array of shape {lengths} should have 8 bytes per number, got {len(data)} bytes")
    flat = np.frombuffer(data, np.dtype("<f8")).astype(np.float64)
    return flat.reshape(lengths, order="F" if by_columns is True else "C").copy(order="C")


class _Call:
    """Record of a call, which has not been made.

    Attributes:
        name: Name of the function.
        arguments: Plain values and records.
        state: What the result was to be filled with.
    """

    def __init__(self, name: str, arguments: tuple[object, ...]) -> None:
        self.name, self.arguments = name, arguments
        self.state: object = None

    def __setstate__(self, state: object) -> None:
        self.state = state


class _Unpickler(pickle.Unpickler):
    """Replaces the allowed names by functions that record their calls."""

    def find_class(self, module: str, name: str) -> Callable[..., _Call]:
        text = f"{module}.{name}"
        if text not in NAMES:
            raise PickleRefusedError(f"it asks for {text[:80]!r}, which is not part of an array of numbers")
        return lambda *arguments: _Call(text, arguments)


def _check_instructions(content: bytes) -> None:
    """Refuse instructions an array does not need, too many of them, and memo entries beyond their number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # raised by pickletools for invalid escapes in names
        for count, (opcode, argument, _) in enumerate(pickletools.genops(content)):
            if count >= MAX_INSTRUCTIONS:
                raise PickleRefusedError(f"it has more than {MAX_INSTRUCTIONS} instructions")
            too_high = opcode.name == "LONG_BINPUT" and int(argument or 0) >= MAX_INSTRUCTIONS
            if too_high or opcode.name not in INSTRUCTIONS:
                raise PickleRefusedError(f"instruction {opcode.name} is not part of an array of numbers")


def _check_dtype(dtype: object) -> None:
    if not isinstance(dtype, _Call) or dtype.name != DTYPE or dtype.arguments[:1] != ("f8",):
        raise PickleRefusedError("its array is not made of 64-bit floating-point numbers")
    if not isinstance(dtype.state, tuple) or dtype.state[1:2] != ("<",):
        raise PickleRefusedError("its numbers are not in little-endian order")


def _lengths(shape: object) -> tuple[int, ...]:
    if isinstance(shape, tuple) and len(shape) <= 8:
        lengths = tuple(length for length in shape if isinstance(length, int) and length > 0)
        if len(lengths) == len(shape):
            return lengths
    raise PickleRefusedError("its array has no shape of positive lengths")


def _data(numbers: object) -> bytes:
    """Bytes, or text that a pickle of an old protocol asks to encode as latin-1."""
    if isinstance(numbers, bytes):
        return numbers
    if isinstance(numbers, _Call) and numbers.name == ENCODE and len(numbers.arguments) == 2:
        text, encoding = numbers.arguments
        if isinstance(text, str) and encoding in ("latin1", "latin-1"):
            with suppress(UnicodeEncodeError):
                return text.encode("latin-1")
    raise PickleRefusedError("its numbers are not stored as bytes")
