"""The command `evaluate-robot`."""

from collections.abc import Sequence
from typing import NoReturn

from ambidex.benchmarks.robot.config import COMMAND, RobotConfig
from ambidex.command_line import DONE, FAILED, print_message, print_result, run


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, run the rollouts and exit with their status."""
    run(COMMAND, _main, RobotConfig, argv)


def _main(config: RobotConfig) -> int:
    from ambidex.benchmarks.robot.evaluation import evaluate  # heavy: not for --help

    summary = evaluate(config)
    if not config.quiet:
        print_result(summary)
    if errors := summary.describe_errors():
        print_message(COMMAND, errors)
    return DONE if summary.complete and not summary.hopeless else FAILED
