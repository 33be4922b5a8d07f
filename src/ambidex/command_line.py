"""What all commands share: flags, errors as paragraphs, exit codes."""

import os
import shlex
import sys
import textwrap
import traceback
from collections.abc import Callable, Sequence, Set
from dataclasses import Field, fields
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated, NoReturn, Protocol, TypeVar

import tyro
from tyro.constructors import PrimitiveConstructorSpec

from ambidex.codec import to_json
from ambidex.errors import AmbidexError, DatasetError, UsageError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130
MAX_WIDTH = 120


class CommandConfig(Protocol):
    """What the flags of every command have in common."""

    @property
    def debug(self) -> bool:
        """Show tracebacks."""
        ...


Config = TypeVar("Config", bound=CommandConfig)
Default = TypeVar("Default")
Peeked = TypeVar("Peeked")


def run(
    name: str,
    main: Callable[[Config], int | None],
    config_type: type[Config],
    argv: Sequence[str] | None = None,
    default: Config | None = None,
) -> NoReturn:
    """Parse the flags, do the work, and leave with 0 done, 1 failed, 2 wrong usage or 130 interrupted.

    Args:
        name: The command's name.
        main: Does the work; returns an exit code, None for 0. A KeyboardInterrupt that leaves it may carry a
            message that says what is kept and how to resume.
        config_type: Frozen dataclass of the flags; its docstring is the help text.
        argv: Flags; None for those of this process.
        default: What flags are that are not given; None for the defaults of the dataclass.

    Raises:
        SystemExit: Always.
    """
    try:
        config = _parsed(name, config_type, argv, default)
    except (BrokenPipeError, SystemExit) as end:  # --help, or wrong flags
        sys.exit(_flushed(end.code if isinstance(end, SystemExit) else DONE))
    except AmbidexError as error:  # flags that do not go together, found as the config is made
        sys.exit(_failure(name, error, debug=False))
    sys.exit(_exit_code(name, main, config))


def peek(argv: Sequence[str], kind: type[Peeked]) -> Peeked:
    """The flags that decide the defaults of the others, read before all of them are parsed.

    Args:
        argv: All flags of the command.
        kind: Dataclass of those that decide. A flag that is given wrongly counts as not given: parsing reports it.
    """
    words = [word for word in argv if word not in ("-h", "--help")]
    try:
        return tyro.cli(kind, args=words, return_unknown_args=True, console_outputs=False)[0]
    except SystemExit:
        return kind()


def defaults_or_leave(name: str, defaults_for: Callable[[Sequence[str]], Default], words: Sequence[str]) -> Default:
    """What flags are that are not given, where that depends on those that are given.

    Args:
        name: The command's name.
        defaults_for: Finds them.
        words: The flags.

    Raises:
        SystemExit: It cannot: 2 for wrong usage, else 1, with a paragraph on stderr.
    """
    try:
        return defaults_for(words)
    except AmbidexError as error:
        sys.exit(_failure(name, error, debug=False))


def _flushed(code: int | str | None) -> int | str | None:
    """An exit code, once what was printed is out; whoever was to read it may have left, e.g. `head`."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _leave_quietly()
    return code


def _leave_quietly() -> None:
    """Keep the interpreter from saying that nobody reads our output."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parsed(name: str, config_type: type[Config], argv: Sequence[str] | None, default: Config | None) -> Config:
    if default is None:
        return tyro.cli(config_type, prog=name, args=argv)
    return tyro.cli(config_type, prog=name, args=argv, default=default)


def _exit_code(name: str, main: Callable[[Config], int | None], config: Config) -> int:
    try:
        code = main(config) or DONE
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever read our output has left, e.g. `head`
        _leave_quietly()
        return FAILED
    except KeyboardInterrupt as interrupt:
        say(name, f"Interrupted. {interrupt}".strip())
        return INTERRUPTED
    except Exception as exception:
        return _failure(name, exception, config.debug)


def _failure(name: str, exception: Exception, debug: bool) -> int:
    if debug:
        traceback.print_exception(exception)
    if isinstance(exception, AmbidexError):
        say(name, str(exception))
    else:
        hint = "" if debug else " Run again with --debug to see where it happened, and report it with that output."
        what = f"{type(exception).__name__}: {exception}".rstrip(": .")
        say(name, f"An unexpected error, most likely a defect of ambidex: {what}.{hint}")
    return WRONG_USAGE if isinstance(exception, UsageError) else FAILED


def say(name: str, text: str) -> None:
    """One paragraph on stderr, wrapped for a terminal, in one piece for a log."""
    paragraph = f"{name}: {text}"
    if sys.stderr.isatty():
        width = min(get_terminal_size().columns, MAX_WIDTH)
        paragraph = textwrap.fill(paragraph, width, break_long_words=False, break_on_hyphens=False)
    sys.stderr.write(paragraph + "\n")


# FOLDED flags: Types of command-line flags that commands share.

Value = TypeVar("Value")
AUTO = "auto"


def _spec(
    metavar: str, nargs: int | str, parse: Callable[[list[str]], Value]
) -> PrimitiveConstructorSpec[Value | None]:
    """How a flag reads its words; "auto" is None, a default that depends on other flags."""
    return PrimitiveConstructorSpec(
        nargs=nargs,  # type: ignore[arg-type]  # "*" or a number
        metavar=metavar,
        instance_from_str=lambda words: None if words == [AUTO] else parse(words),
        is_instance=lambda value: True,
        str_from_instance=_words,
    )


def _words(value: Value | None) -> list[str]:
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
"""A whole number; None unless given."""

OptionalName = Annotated[str | None, _spec("NAME", 1, lambda words: words[0])]
"""A name; None unless given."""

OptionalPath = Annotated[Path | None, _spec("PATH", 1, lambda words: Path(words[0]))]
"""A file or folder; None unless given."""

ImageSize = Annotated[tuple[int, int] | None, _spec("H W", 2, _integers)]
"""Height and width [px]; None unless given."""

Names = Annotated[tuple[str, ...] | None, _spec("NAME ...|none", "*", _names)]
"""Names; empty for the word "none"; None unless given."""


# FOLDED recorders.command_text: A command's flags as text and back, for dataset.json and for messages.

POSITIONAL = "path"  # the field that has no flag
StoredConfig = TypeVar("StoredConfig", bound="DataclassInstance")


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
            words += _typed_words(field, value)
    return shlex.join(words)


def from_text(name: str, text: str, config_type: type[StoredConfig]) -> StoredConfig:
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


def flags_to_json(config: "DataclassInstance", *, leave_out: Set[str] = frozenset()) -> dict[str, object]:
    """The flags of a config as JSON, for the file that says how a folder was made.

    Args:
        config: Frozen dataclass of the flags.
        leave_out: Fields to leave out.
    """
    return {name: value for name, value in to_json(config).items() if name not in leave_out}


def differences(old: StoredConfig, new: StoredConfig, *, ignore: Set[str]) -> list[str]:
    """One line per flag in which two configs differ, e.g. "--seed was 0, now 5"."""
    return [
        f"{_flag(field)} was {_value(old, field)}, now {_value(new, field)}"
        for field in fields(old)
        if field.name not in ignore and getattr(old, field.name) != getattr(new, field.name)
    ]


def _value(config: "DataclassInstance", field: "Field[object]") -> str:
    value = getattr(config, field.name)
    return "auto" if value is None else shlex.join(_typed_words(field, value)[1:]) or str(value)


def _typed_words(field: "Field[object]", value: object) -> list[str]:
    if value is None or value is False:
        return []
    if value is True:
        return [_flag(field)]
    if isinstance(value, tuple):
        return [_flag(field), *(str(item) for item in value)] if value else [_flag(field), "none"]
    return [_flag(field), str(value)]


def _flag(field: "Field[object]") -> str:
    return "--" + field.name.replace("_", "-")
