"""The command `render-episodes`, and what it has in common with `convert-dataset`."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NoReturn, TypeVar

from ambidex.command_line import print_result, run
from ambidex.envs.simulation.opengl import check_environment
from ambidex.flags import format_command
from ambidex.recorders.rendering.config import ConvertConfig, RenderConfig

Config = TypeVar("Config", RenderConfig, ConvertConfig)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, render, and exit."""
    run(RenderConfig.command, _main, RenderConfig, argv)


def _main(config: RenderConfig) -> None:
    check_environment()
    from ambidex.recorders.rendering.render import render  # heavy: not for --help

    run_and_print(render, config)


def run_and_print(write: Callable[[Config], object], config: Config) -> None:
    """Write the new dataset and print the summary; an interrupt names the command that resumes."""
    try:
        summary = write(config)
    except KeyboardInterrupt:
        command = format_command(config.command, replace(config, resume=True, quiet=False, debug=False), brief=True)
        raise KeyboardInterrupt(f"The episodes written so far stay. Resume with: {command}") from None
    if not config.quiet:
        print_result(summary)
