"""The command `render-episodes`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

from ambidex.command_line import print_result, run
from ambidex.envs.simulation.opengl import check_environment
from ambidex.flags import format_command
from ambidex.recorders.rendering.config import RenderConfig

COMMAND = "render-episodes"


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, render, and exit."""
    run(COMMAND, _main, RenderConfig, argv)


def _main(config: RenderConfig) -> None:
    check_environment()
    from ambidex.recorders.rendering.render import render  # heavy: not for --help

    try:
        summary = render(config)
    except KeyboardInterrupt:
        command = format_command(COMMAND, replace(config, resume=True, quiet=False, debug=False), brief=True)
        raise KeyboardInterrupt(f"Rendered episodes stay. Resume with: {command}") from None
    if not config.quiet:
        print_result(summary)
