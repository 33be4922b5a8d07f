"""In which flags two settings differ, in words."""

from collections.abc import Collection, Iterator
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def changed_flags(old: "DataclassInstance", new: "DataclassInstance", ignored: Collection[str] = ()) -> list[str]:
    """One line per field in which two settings of one kind differ, named as its flag: "--scratch.width was 48, now 64".

    Args:
        old: What was.
        new: What is.
        ignored: Fields that do not matter.
    """
    return [f"--{flag} was {was}, now {now}" for flag, was, now in _pairs(old, new, ignored) if was != now]


def _pairs(
    old: "DataclassInstance", new: "DataclassInstance", ignored: Collection[str]
) -> Iterator[tuple[str, object, object]]:
    for name in (field.name for field in fields(old) if field.name not in ignored):
        flag, was, now = name.replace("_", "-"), getattr(old, name), getattr(new, name)
        if _is_settings(was) and _is_settings(now):
            yield from ((f"{flag}.{inner}", a, b) for inner, a, b in _pairs(was, now, ()))
        else:
            yield flag, was, now


def _is_settings(value: object) -> "TypeGuard[DataclassInstance]":
    return is_dataclass(value) and not isinstance(value, type)
