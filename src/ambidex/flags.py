"""Flags of commands: their types, and frozen dataclasses of them as a command line, as JSON, and compared."""

import shlex
from collections.abc import Callable, Iterator, Set
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import tyro
from tyro.constructors import PrimitiveConstructorSpec

from ambidex.codec import to_json
from ambidex.errors import DatasetError, UsageError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Value = TypeVar("Value")
Config = TypeVar("Config", bound="DataclassInstance")
AUTO = "auto"
POSITIONAL = "path"  # the field that has no flag


def _spec(
    metavar: str, nargs: int | str, parse: Callable[[list[str]], Value]
) -> PrimitiveConstructorSpec[Value | None]:
    """How a flag reads its words; "auto" is None, a default that depends on other flags."""
    return PrimitiveConstructorSpec(
        nargs=nargs,  # type: ignore[arg-type]  # "*" or a number
        metavar=metavar,
        instance_from_str=lambda words: None if words == [AUTO] else parse(words),
        is_instance=lambda value: True,
        str_from_instance=_default_words,
    )


def _default_words(value: Value | None) -> list[str]:
    if value is None:
        return [AUTO]
    return [str(word) for word in value] if isinstance(value, tuple) else [str(value)]


def _integers(words: list[str]) -> tuple[int, int]:
    height, width = words
    return int(height), int(width)


def _names(words: list[str]) -> tuple[str, ...]:
    if not words:
        raise ValueError("expected one name or more, or 'none'")
    if "none" in words and len(words) > 1:
        raise ValueError("'none' stands alone")
    return () if words == ["none"] else tuple(words)


Switch = Annotated[bool, tyro.conf.FlagCreatePairsOff]
"""Off unless given."""

OptionalInt = Annotated[int | None, _spec("INT", 1, lambda words: int(words[0]))]
"""An integer; None unless given."""

OptionalName = Annotated[str | None, _spec("NAME", 1, lambda words: words[0])]
"""A name; None unless given."""

OptionalPath = Annotated[Path | None, _spec("PATH", 1, lambda words: Path(words[0]))]
"""A file or folder; None unless given."""

ImageSize = Annotated[tuple[int, int] | None, _spec("H W", 2, _integers)]
"""Height and width [px]; None unless given."""

Names = Annotated[tuple[str, ...] | None, _spec("NAME ...|none", "*", _names)]
"""Names; empty for the word "none"; None unless given."""


def format_command(
    name: str, config: "DataclassInstance", *, leave_out: Set[str] = frozenset(), brief: bool = False
) -> str:
    """The command line that gives a config.

    Args:
        name: The command.
        config: Frozen dataclass of its flags.
        leave_out: Fields to leave out.
        brief: Leave out flags that have their default too.
    """
    words = [name]
    for field in fields(config):
        value = getattr(config, field.name)
        if field.name == POSITIONAL:
            words.append(str(value))
        elif field.name not in leave_out and not (brief and value == field.default):
            words += _flag_words(field.name, value)
    return shlex.join(words)


def parse_command(name: str, text: str, kind: type[Config]) -> Config:
    """Inverse of `format_command`.

    Raises:
        UsageError: It is a line of another command.
        DatasetError: This version does not know its flags.
    """
    words = shlex.split(text)
    if words[:1] != [name]:
        raise UsageError(f"The folder was not made by {name}, but by: {text}", got=text)
    try:
        return tyro.cli(kind, args=words[1:], console_outputs=False)
    except (SystemExit, ValueError) as error:
        hint = "Use the version that wrote it, or run again into another folder."
        raise DatasetError(f"This version does not know all flags of the command {text!r}.", hint, got=text) from error


def flags_to_json(config: "DataclassInstance", *, leave_out: Set[str] = frozenset()) -> dict[str, object]:
    """The flags of a config as JSON, without the fields in `leave_out`."""
    return {name: value for name, value in to_json(config).items() if name not in leave_out}


def changed_flags(
    old: "DataclassInstance", new: "DataclassInstance", ignore: Set[str] = frozenset(), prefix: str = "--"
) -> list[str]:
    """One line per flag in which two configs of one type differ, e.g. "--seed was 0, now 5".

    Args:
        old: The earlier config.
        new: The present one.
        ignore: Fields that are not compared.
        prefix: Goes before each name; the flags of a dataclass within the config are named like --scratch.width.
    """
    return list(_changes(old, new, ignore, prefix))


def _changes(old: "DataclassInstance", new: "DataclassInstance", ignore: Set[str], prefix: str) -> Iterator[str]:
    for name in (field.name for field in fields(old) if field.name not in ignore):
        flag, was, now = prefix + name.replace("_", "-"), getattr(old, name), getattr(new, name)
        if is_dataclass(was) and type(was) is type(now):
            yield from _changes(was, now, frozenset(), f"{flag}.")  # type: ignore[arg-type]
        elif was != now:
            yield f"{flag} was {_shown(name, was)}, now {_shown(name, now)}"


def _shown(name: str, value: object) -> str:
    return AUTO if value is None else shlex.join(_flag_words(name, value)[1:]) or str(value)


def _flag_words(name: str, value: object) -> list[str]:
    flag = "--" + name.replace("_", "-")
    if value is None or value is False:
        return []
    if value is True:
        return [flag]
    if isinstance(value, tuple):
        return [flag, *(str(item) for item in value)] if value else [flag, "none"]
    return [flag, str(value)]
