"""What all commands share: flags, errors as paragraphs, exit codes."""

import os
import sys
import textwrap
import traceback
from collections.abc import Callable, Sequence
from shutil import get_terminal_size
from typing import NoReturn, Protocol, TypeVar

import tyro

from ambidex.envs.errors import AmbidexError, UsageError

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
