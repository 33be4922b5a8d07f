"""The command `compare-policies`."""

from collections.abc import Sequence
from typing import NoReturn

from ambidex.atomic_files import write_json
from ambidex.benchmarks.comparison.config import CompareConfig
from ambidex.command_line import print_result, run

COMMAND = "compare-policies"


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, compare the results and exit with the command's status."""
    run(COMMAND, _main, CompareConfig, argv)


def _main(config: CompareConfig) -> None:
    from ambidex.benchmarks.comparison.compare import compare  # heavy: not for --help
    from ambidex.benchmarks.comparison.report import report, to_json

    comparisons = compare(config)
    if config.json is not None:
        write_json(config.json, to_json(comparisons, config))
    if not config.quiet:
        print_result(report(comparisons, config))
