"""The command `verify-episodes`."""

import sys
from collections.abc import Sequence
from typing import NoReturn

from ambidex.command_line import DONE, FAILED, run
from ambidex.envs.simulation.opengl import check_environment
from ambidex.errors import UsageError
from ambidex.progress import Progress
from ambidex.recorders.verify_config import VerifyConfig

COMMAND = "verify-episodes"


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, verify, and leave with an exit code."""
    run(COMMAND, _main, VerifyConfig, argv)


def _main(config: VerifyConfig) -> int:
    check_environment()
    from ambidex.recorders.verify import episode_files, verify  # heavy: not for --help
    from ambidex.recorders.verify_report import report, reproduces

    if not config.paths:
        raise UsageError("No path is given. Name a dataset, e.g. verify-episodes data/transfer_cube.")
    files = episode_files(*config.paths)
    results = []
    with Progress("verified", len(files), quiet=config.quiet) as progress:
        for result in verify(*config.paths, ee=config.ee, pictures=config.pictures, workers=config.workers):
            results.append(result)
            progress.update(len(results), sum(map(reproduces, results)), len(results))
    results.sort(key=lambda result: files.index(result[0]))
    if not config.quiet:
        sys.stdout.write(report(config.paths, results) + "\n")
    return DONE if all(map(reproduces, results)) else FAILED
