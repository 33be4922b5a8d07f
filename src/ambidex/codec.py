"""Frozen dataclasses to JSON and back, strictly typed, through msgspec (docs/decisions/0017).

Every dataclass in a JSON file of this project is read here: a field that is missing, unknown or of another type is
an error that names it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

Value = TypeVar("Value")
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""An integer from 0 on that `from_json` reads."""
ADDED_LATER = "added after the first release"
"""Metadata of a setting that files of older versions lack; they mean its default."""
_LEAVES = (str, int, float, type(None))  # a row may have hundreds, which hold no dataclass


def to_json(value: object) -> Any:
    """Dicts, lists, tuples (where the dataclass has them), strings and numbers; inverse of `from_json`."""
    return msgspec.to_builtins(value, enc_hook=_encode)


def from_json(kind: type[Value], values: object, *, complete: bool = False) -> Value:
    """A dataclass from its JSON.

    Args:
        kind: Type of the dataclass.
        values: Its fields, as `parse` gives them.
        complete: Fields with a default may not be missing either, unless they are marked `ADDED_LATER`: for settings,
            whose fields all have one.

    Raises:
        ValueError: A field is missing, unknown or of another type; says which.
    """
    try:
        result = msgspec.convert(values, kind, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise ValueError(_with_path_first(str(error))) from error
    misfits = list(_misfits(result, values, "", complete))
    if misfits:
        raise ValueError("; ".join(misfits))
    return result


def parse(text: str | bytes) -> Any:
    """The content of a JSON document.

    Raises:
        ValueError: It is no JSON, no UTF-8, or nested too deeply.
    """
    try:
        return msgspec.json.decode(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _encode(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise NotImplementedError(f"{type(value).__name__} has no JSON")


def _decode(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise TypeError(f"Expected `{'str' if kind is Path else kind.__name__}`, got `{type(value).__name__}`")


def _with_path_first(message: str) -> str:
    """A message of msgspec, "Expected `int`, got `float` - at `$.o.a`", as "o.a: expected int, got float"."""
    what, _, where = message.replace("`", "").partition(" - at ")
    path = where.replace("$.", "").replace("$", "")
    missing = what.removeprefix("Object missing required field ")
    if missing != what:
        return f"{_join(path, missing)}: missing field"
    return f"{path}: {what[0].lower()}{what[1:]}".removeprefix(": ")


def _misfits(result: object, values: Any, where: str, complete: bool) -> Iterator[str]:
    """What msgspec accepts in a dataclass and we do not: unknown fields, and missing ones if it is to be complete."""
    inner: Iterable[tuple[str, object, object]]
    if is_dataclass(result):
        names = {field.name for field in fields(result)}
        required = {field.name for field in fields(result) if ADDED_LATER not in field.metadata} if complete else set()
        for name in names - set(values):  # msgspec leaves defaults to the class, where `to_builtins` does not look
            object.__setattr__(result, name, getattr(result, name))
        yield from (f"{_join(where, name)}: unknown field" for name in sorted(set(values) - names))
        yield from (f"{_join(where, name)}: missing field" for name in sorted(required - set(values)))
        inner = ((_join(where, name), getattr(result, name), values[name]) for name in names & set(values))
    elif isinstance(result, tuple | list):
        inner = ((f"{where}[{index}]", *pair) for index, pair in enumerate(zip(result, values, strict=True)))
    elif isinstance(result, Mapping):
        inner = ((f"{where}[{name}]", value, values[name]) for name, value in result.items())
    else:
        return
    for path, value, stored in inner:
        if not isinstance(value, _LEAVES):
            yield from _misfits(value, stored, path, complete)


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
