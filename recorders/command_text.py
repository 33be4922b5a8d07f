"""A command's flags as text and back, for dataset.json and for messages."""

import shlex
from collections.abc import Set
from dataclasses import Field, fields
from typing import TYPE_CHECKING, TypeVar

import tyro

from ambidex.envs.errors import DatasetError, UsageError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

POSITIONAL = "path"  # the field that has no flag
Config = TypeVar("Config", bound="DataclassInstance")


def to_text(name: str, config: "DataclassInstance", *, leave_out: Set[str] = frozenset(), brief: bool = False) -> str:
    """The command line that gives this config.

    Args:
        name: The command.
        config: Frozen dataclass of its flags.
        leave_out: Fields to leave out.
        brief: Leave out what has its default value too.
    """
    words = [name]
    for field in fields(config):
        value = getattr(config, field.name)
        if field.name == POSITIONAL:
            words.append(str(value))
        elif field.name not in leave_out and not (brief and value == field.default):
            words += _words(field, value)
    return shlex.join(words)


def from_text(name: str, text: str, config_type: type[Config]) -> Config:
    """Inverse of `to_text`.

    Raises:
        UsageError: The line is of another command.
        DatasetError: Not such a command line.
    """
    words = shlex.split(text)
    if words[:1] != [name]:
        raise UsageError(f"--resume: the dataset is not one of {name}, it was made by: {text}")
    try:
        return tyro.cli(config_type, args=words[1:], console_outputs=False)
    except (SystemExit, ValueError) as error:
        raise DatasetError(
            f"The dataset was recorded by a command that this version does not understand: {text!r}. Go on with the "
            "version that began it, or record it again in another folder."
        ) from error


def differences(old: Config, new: Config, *, ignore: Set[str]) -> list[str]:
    """One line per flag in which two configs differ, e.g. "--seed was 0, now 5"."""
    return [
        f"{_flag(field)} was {_value(old, field)}, now {_value(new, field)}"
        for field in fields(old)
        if field.name not in ignore and getattr(old, field.name) != getattr(new, field.name)
    ]


def _value(config: "DataclassInstance", field: "Field[object]") -> str:
    value = getattr(config, field.name)
    return "auto" if value is None else shlex.join(_words(field, value)[1:]) or str(value)


def _words(field: "Field[object]", value: object) -> list[str]:
    if value is None or value is False:
        return []
    if value is True:
        return [_flag(field)]
    if isinstance(value, tuple):
        return [_flag(field), *(str(item) for item in value)] if value else [_flag(field), "none"]
    return [_flag(field), str(value)]


def _flag(field: "Field[object]") -> str:
    return "--" + field.name.replace("_", "-")
