"""The command `convert-dataset`."""

from collections.abc import Sequence
from typing import NoReturn

from ambidex.command_line import print_result, run
from ambidex.errors import MissingDatasetError, UsageError
from ambidex.recorders.render_episodes import run_and_print
from ambidex.recorders.rendering.config import ConvertConfig


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, convert, and exit."""
    run(ConvertConfig.command, _main, ConvertConfig, argv)


def _main(config: ConvertConfig) -> None:
    if config.describe:
        print_result(_describe(config))
        return
    if config.preset is not None:
        raise UsageError("--preset says what --describe writes.", "Add --describe, or leave it out.", got=config.preset)
    from ambidex.recorders.rendering.render import convert  # heavy: not for --help

    run_and_print(convert, config)


def _describe(config: ConvertConfig) -> str:
    from ambidex.recorders.formats.foreign.description import missing_fields  # heavy, as is the next
    from ambidex.recorders.formats.registry import FOREIGN, foreign_kind

    kind = foreign_kind(config.path)
    if kind is None:
        problem = f"{config.path} is no dataset of another program."
        raise MissingDatasetError(problem, f"Expected one of {', '.join(FOREIGN)}.", path=config.path)
    file = kind.describe(config.path, config.preset)
    missing = missing_fields(file)
    return f"{file} is written. " + (f"Fill in: {', '.join(missing)}." if missing else "Nothing is left to fill in.")
