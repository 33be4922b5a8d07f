"""A pickle looked at without running it: calls become notes of what would be called, and only known names pass."""

import math
import pickletools
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from ambidex.envs.types import FloatArray

MAX_OPCODES = 1000  # an array takes about 60


class PickleRefusedError(Exception):
    """A pickle that is damaged, or holds more than plain values and permitted names."""


@dataclass(frozen=True)
class Name:
    """A permitted name, such as "numpy.dtype"; stands for nothing but itself."""

    text: str


@dataclass(eq=False)
class Call:
    """What a pickle wanted called. Nothing has been.

    Attributes:
        function: Permitted name.
        arguments: Plain values, names and calls.
        state: What it wanted the result to be filled with.
    """

    function: Name
    arguments: tuple[object, ...]
    state: object = None


def read_inert(content: bytes, permitted: frozenset[str]) -> object:
    """The value of a pickle as plain values, names and calls.

    Args:
        content: A pickle.
        permitted: Dotted names it may mention.

    Raises:
        PickleRefusedError: It is damaged, too long, or wants anything else.
    """
    machine = _Machine(permitted)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # pickletools on odd escapes in names
            machine.run(content)
    except (ValueError, IndexError, KeyError) as error:
        raise PickleRefusedError(f"its pickle is damaged ({str(error)[:80]})") from None
    return machine.result()


class _Mark:
    """Where a tuple begins on the stack."""


class _Machine:
    """The few instructions an array needs, on a stack of inert values."""

    def __init__(self, permitted: frozenset[str]) -> None:
        self._permitted = permitted
        self._stack: list[object] = []
        self._memo: dict[int, object] = {}
        self._stopped = False

    def run(self, content: bytes) -> None:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(content)):
            if count >= MAX_OPCODES:
                raise PickleRefusedError(f"it has more than {MAX_OPCODES} instructions")
            self.step(opcode.name, argument)

    def step(self, opcode: str, argument: Any) -> None:
        if opcode in VALUES:
            self._stack.append(VALUES[opcode](argument))
        elif opcode in STEPS:
            STEPS[opcode](self, argument)
        elif opcode not in IGNORED:
            raise PickleRefusedError(f"it holds something else than one array of numbers (instruction {opcode})")

    def result(self) -> object:
        if not self._stopped or len(self._stack) != 1:
            raise PickleRefusedError("its pickle is damaged (it does not end with one value)")
        return self._stack[0]

    def stop(self, _: object) -> None:
        self._stopped = True

    def name(self, argument: str) -> None:
        text = argument.replace(" ", ".")
        if text not in self._permitted:
            raise PickleRefusedError(f"it asks for {text[:80]!r}, which is not part of an array of numbers")
        self._stack.append(Name(text))

    def stacked_name(self, _: object) -> None:
        attribute, module = self._stack.pop(), self._stack.pop()
        self.name(f"{module} {attribute}" if isinstance(module, str) and isinstance(attribute, str) else "?")

    def put(self, argument: int) -> None:
        self._memo[argument] = self._stack[-1]

    def memoize(self, _: object) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def get(self, argument: int) -> None:
        self._stack.append(self._memo[argument])

    def pack(self, count: int) -> None:
        if count > len(self._stack):
            raise IndexError("stack is empty")
        items = tuple(self._stack[len(self._stack) - count :])
        del self._stack[len(self._stack) - count :]
        self._stack.append(items)

    def pack_to_mark(self, _: object) -> None:
        depth = next((i for i, item in enumerate(reversed(self._stack)) if isinstance(item, _Mark)), None)
        if depth is None:
            raise IndexError("no mark")
        self.pack(depth)
        del self._stack[-2]

    def call(self, _: object) -> None:
        arguments, function = self._stack.pop(), self._stack.pop()
        if not isinstance(function, Name) or not isinstance(arguments, tuple):
            raise PickleRefusedError("it calls what is no name")
        self._stack.append(Call(function, arguments))

    def build(self, _: object) -> None:
        state, target = self._stack.pop(), self._stack[-1]
        if not isinstance(target, Call):
            raise PickleRefusedError("it fills what is no call")
        target.state = state


VALUES: Mapping[str, Callable[[Any], object]] = {
    **dict.fromkeys(("BININT", "BININT1", "BININT2"), lambda value: cast(int, value)),
    **dict.fromkeys(("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"), lambda value: cast(str, value)),
    **dict.fromkeys(("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"), lambda value: cast(bytes, value)),
    "NONE": lambda _: None,
    "NEWTRUE": lambda _: True,
    "NEWFALSE": lambda _: False,
    "EMPTY_TUPLE": lambda _: (),
    "MARK": lambda _: _Mark(),
}
STEPS: Mapping[str, Callable[[_Machine, Any], None]] = {
    "GLOBAL": _Machine.name,
    "STACK_GLOBAL": _Machine.stacked_name,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.memoize,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "TUPLE": _Machine.pack_to_mark,
    "TUPLE1": lambda machine, _: machine.pack(1),
    "TUPLE2": lambda machine, _: machine.pack(2),
    "TUPLE3": lambda machine, _: machine.pack(3),
    "REDUCE": _Machine.call,
    "BUILD": _Machine.build,
    "STOP": _Machine.stop,
}
IGNORED = ("PROTO", "FRAME")


# FOLDED envs.tasks.libero.array_pickle: The one thing an init-state file holds: a pickled array of 64-bit numbers, put together without unpickling.

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
