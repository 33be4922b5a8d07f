"""Running a command: parse its flags, do the work, print errors as paragraphs, exit with the right status."""

import io
import os
import re
import signal
import sys
import textwrap
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from shutil import get_terminal_size
from types import FrameType
from typing import NoReturn, Protocol, TypeVar

import tyro

import ambidex
from ambidex.atomic_files import system_error
from ambidex.errors import AmbidexError, UsageError
from ambidex.flags import help_text
from ambidex.text import discard, printable, write_message
from ambidex.worker_pool.ending import STOP_SIGNALS

HELP = frozenset({"-h", "--help", "--help-all", "--help_all"})
DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130
STANDARD_STREAMS = (0, 1, 2)
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
    """Parse the flags, do the work, and exit with 0 (done), 1 (failed), 2 (wrong usage) or 130 (interrupted).

    The first of `STOP_SIGNALS` interrupts the work; later ones are ignored, so that cleaning up completes.

    Args:
        name: The command's name.
        main: Does the work; returns the exit status, None for 0. The message of a KeyboardInterrupt that it raises
            says what is stored and how to resume.
        config_type: Frozen dataclass of the flags; its docstring is the help text.
        argv: The flags; None for those of this process.
        default: Values of the flags that are not given; None for the defaults of the dataclass.

    Raises:
        SystemExit: Always.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    _open_missing_streams()
    _answer(name, config_type, words, default)
    try:
        _check_words(words)
        _check_image_size(words)
        given = tyro.MISSING_NONPROP if default is None else default
        config = tyro.cli(config_type, prog=name, args=words, default=given, add_help=False)
    except SystemExit as end:  # wrong flags, which tyro has printed
        write_message(sys.stderr, f"Run {name} --help for its options.\n")
        sys.exit(end.code)
    except AmbidexError as error:  # also from __post_init__: flags that exclude each other
        sys.exit(_failure(name, error, debug=False))
    with _interrupted_by_signals():
        status = _exit_status(name, main, config)
    sys.exit(status)


def peek_flags(argv: Sequence[str], kind: type[Peeked]) -> Peeked:
    """The flags on which defaults of other flags depend, read before all of them are parsed.

    If one of these fields is wrong in the command line, they all have their defaults: `run` reports it.
    """
    words = [word for word in argv if word not in HELP]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        try:
            return tyro.cli(kind, args=words, return_unknown_args=True, console_outputs=False)[0]
        except SystemExit:
            return kind()


def defaults_or_exit(name: str, defaults_for: Callable[[Sequence[str]], Default], argv: Sequence[str]) -> Default:
    """Defaults that depend on the flags.

    Raises:
        SystemExit: `defaults_for` raised an error of this project; it is printed.
    """
    if "--version" in argv:  # whatever the other flags are
        _print_and_exit(name, _version_text(name))
    try:
        return defaults_for(argv)
    except AmbidexError as error:
        sys.exit(_failure(name, error, debug=False))


def print_message(name: str, text: str) -> None:
    """Print one paragraph on stderr, under the command's name: wrapped on a terminal, one line in a log."""
    paragraph = printable(f"{name}: {text}")
    if sys.stderr is not None and sys.stderr.isatty():
        width = min(get_terminal_size().columns, MAX_WIDTH)
        paragraph = textwrap.fill(paragraph, width, break_long_words=False, break_on_hyphens=False)
    write_message(sys.stderr, paragraph + "\n")


def print_result(text: object) -> None:
    """Print what a command found on stdout.

    Raises:
        BrokenPipeError: Its reader has closed the pipe.
        AmbidexError: It cannot be written, e.g. the disk is full. Later output is dropped.
    """
    _print(printable(f"{text}\n"))


def _print(text: str) -> None:
    """Print text and what is buffered; raises what `print_result` does."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        discard(sys.stdout)
        if isinstance(error, BrokenPipeError):
            raise
        problem = f"The output could not be printed: {error.strerror}."
        raise AmbidexError(problem, "Files that the command wrote are complete.") from error


def _answer(name: str, kind: type, words: Sequence[str], default: object) -> None:
    """Print what --help, --help-all or --version asks for, and exit."""
    if "--version" in words:
        _print_and_exit(name, _version_text(name))
    asked = HELP.intersection(words)
    if asked:
        complete = not asked.isdisjoint({"--help-all", "--help_all"})
        _print_and_exit(name, help_text(name, kind, default, complete=complete))


def _version_text(name: str) -> str:
    return f"{name} (ambidex {ambidex.__version__})\n"


def _print_and_exit(name: str, text: str) -> NoReturn:
    try:
        _print(text)
    except BrokenPipeError:  # e.g. `| head`
        sys.exit(DONE)
    except AmbidexError as error:
        sys.exit(_failure(name, error, debug=False))
    sys.exit(DONE)


def _check_image_size(words: Sequence[str]) -> None:
    """Refuse 240x320, which other programs read as width x height.

    Raises:
        UsageError: An image size is written so.
    """
    for size in re.findall(r"--image[-_]size[= ](\d+ ?[xX*,] ?\d+)", " ".join(words)):
        sides = re.findall(r"\d+", size)
        problem = f"--image-size {size}: expected two numbers, first the height, then the width [px]."
        raise UsageError(problem, f"Write --image-size {' '.join(sides)}.", field="image_size", got=size)


def _open_missing_streams() -> None:
    """Open the null device for standard streams that are closed (`>&-`): files must not get their numbers."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= max(STANDARD_STREAMS):
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    sys.stdout, sys.stderr = sys.stdout or os.fdopen(1, "w"), sys.stderr or os.fdopen(2, "w")


def _check_words(words: Sequence[str]) -> None:
    for index, word in enumerate(words):
        if not word or (word.startswith("--") and word.endswith("=")):
            where = words[index - 1] if index and not word else word.rstrip("=")
            problem = f"An empty argument{f' after {where}' if where else ''}."
            raise UsageError(problem, "Is a variable of the shell not set? Give a value, or leave the flag out.")


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """Let `STOP_SIGNALS` raise KeyboardInterrupt, except those that are ignored, e.g. SIGHUP after nohup."""
    try:
        old = {each: signal.getsignal(each) for each in STOP_SIGNALS}
        for number, handler in old.items():
            if handler not in (signal.SIG_IGN, None):
                signal.signal(number, interrupt_once)
    except ValueError:  # not in the main thread
        old = {}
    yield
    for number, handler in old.items():
        if signal.getsignal(number) is interrupt_once:
            signal.signal(number, handler)


@contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Let `STOP_SIGNALS` that arrive within the block take effect after it, unless it raises an exception itself.

    It works in the main thread only; elsewhere signals interrupt nothing anyway.
    """
    received: list[int] = []
    old = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {each: signal.getsignal(each) for each in STOP_SIGNALS}
        old = {each: handler for each, handler in handlers.items() if handler not in (signal.SIG_IGN, None)}
    for number in old:
        signal.signal(number, lambda number, frame: received.append(number))
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
    if received:
        signal.raise_signal(received[0])


def interrupt_once(number: int, frame: FrameType | None) -> None:
    """Signal handler that raises KeyboardInterrupt, and ignores all `STOP_SIGNALS` from then on."""
    for each in STOP_SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _exit_status(name: str, main: Callable[[Config], int | None], config: Config) -> int:
    try:
        code = main(config) or DONE
        _print("")
        return code
    except BrokenPipeError:  # e.g. `| head`
        return FAILED
    except KeyboardInterrupt as interrupt:
        print_message(name, f"Interrupted. {interrupt}".strip())
        return INTERRUPTED
    except Exception as exception:
        return _failure(name, exception, config.debug)


def _failure(name: str, exception: Exception, debug: bool) -> int:
    if debug:
        traceback.print_exception(exception)
    if isinstance(exception, OSError | MemoryError):
        exception = system_error(exception)
    if isinstance(exception, AmbidexError):
        print_message(name, str(exception))
    else:
        hint = "" if debug else " Run again with --debug for the traceback, and report it."
        what = f"{type(exception).__name__}: {exception}".rstrip(": .")
        print_message(name, f"An unexpected error, most likely a bug in ambidex: {what}.{hint}")
    return WRONG_USAGE if isinstance(exception, UsageError) else FAILED
