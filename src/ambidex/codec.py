"""Frozen dataclasses of settings as JSON and back, strictly: a missing, unknown or wrongly typed field is an error.

Only a field whose metadata has `YOUNGER` may be missing: files that are older than it mean its default.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

Value = TypeVar("Value")
YOUNGER = "younger than some files"


def to_json(value: object) -> object:
    """JSON-ready; inverse of `from_json`."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    return value


def from_json(kind: type[Value], values: object, types: Mapping[str, type] | None = None) -> Value:
    """A dataclass of this type.

    Args:
        kind: The dataclass.
        values: Its fields.
        types: Field -> its type, where the dataclass leaves it open.

    Raises:
        ValueError: A field is missing, unknown or of another type.
    """
    if not isinstance(values, Mapping):
        raise ValueError(f"expected an object with the fields of {kind.__name__}, got {values!r}")
    hints = get_type_hints(kind, include_extras=True) | dict(types or {})
    known = fields(kind)  # type: ignore[arg-type]
    missing = {field.name for field in known if YOUNGER not in field.metadata} - set(values)
    unknown = set(values) - {field.name for field in known}
    if missing or unknown:
        raise ValueError(f"missing {sorted(missing)}, unknown {sorted(unknown)}")
    return kind(**{name: _decode(name, hints[name], value) for name, value in values.items()})


def _decode(name: str, hint: object, value: object) -> object:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _decode(name, arguments[0], value)
    if origin in (Union, UnionType):
        return _decode_union(name, arguments, value)
    if origin is Literal:
        return _checked(name, value in arguments, value, hint)
    if origin is tuple:
        return _decode_tuple(name, arguments, value)
    if origin is not None and issubclass(origin, Mapping):
        _checked(name, isinstance(value, Mapping), value, hint)
        return {key: _decode(name, arguments[1], item) for key, item in value.items()}  # type: ignore[attr-defined]
    return _decode_plain(name, hint, value)


def _decode_union(name: str, kinds: Sequence[object], value: object) -> object:
    if value is None:
        return _checked(name, type(None) in kinds, value, kinds)
    for kind in kinds:
        try:
            return _decode(name, kind, value)
        except ValueError:
            continue
    return _checked(name, False, value, kinds)


def _decode_tuple(name: str, kinds: Sequence[object], value: object) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{name}: expected a list, got {value!r}")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_decode(name, kinds[0], item) for item in value)
    _checked(name, len(value) == len(kinds), value, kinds)
    return tuple(_decode(name, kind, item) for kind, item in zip(kinds, value, strict=True))


def _decode_plain(name: str, kind: object, value: object) -> object:
    if not isinstance(kind, type):
        raise ValueError(f"{name}: settings of type {kind} cannot be read back")
    if is_dataclass(kind):
        return from_json(kind, value)
    if issubclass(kind, Enum | Path):
        return kind(str(_checked(name, isinstance(value, str), value, kind)))
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return _checked(name, isinstance(value, kind) and isinstance(value, bool) == (kind is bool), value, kind)


def _checked(name: str, fine: bool, value: object, expected: object) -> object:
    if not fine:
        raise ValueError(f"{name}: expected {expected}, got {value!r}")
    return value
