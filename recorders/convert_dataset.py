"""The command `convert-dataset`."""

from collections.abc import Sequence
from typing import NoReturn

from ambidex.command_line import run
from ambidex.recorders.render_episodes import run_and_print
from ambidex.recorders.rendering.config import ConvertConfig


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, convert, and exit."""
    run(ConvertConfig.command, _main, ConvertConfig, argv)


def _main(config: ConvertConfig) -> None:
    from ambidex.recorders.rendering.render import convert  # heavy: not for --help

    run_and_print(convert, config)
