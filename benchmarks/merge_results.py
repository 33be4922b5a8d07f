"""The command `merge-results`, and its flags."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import tyro

from ambidex.command_line import DONE, FAILED, print_message, print_result, run
from ambidex.envs.simulation.opengl import check_environment
from ambidex.flags import Switch

COMMAND = "merge-results"


@dataclass(frozen=True, kw_only=True)
class MergeResultsConfig:
    """Merge results folders of run-benchmark --shard into the folder that one run of all episodes makes.

    All must be of the same policy, flags and versions, and no two may have the same episode. They stay as they are;
    states and videos are hard links, or copies on another disk. If shards or episodes are missing, the merged folder is
    an unfinished run, which run-benchmark --resume finishes, and the exit status is 1.
    """

    results: tyro.conf.Positional[Annotated[tuple[Path, ...], tyro.conf.arg(metavar="PATH [PATH ...]")]]
    """Results folders of the shards, finished or not."""
    output_dir: Path
    """Folder to write; it must be empty or not exist."""
    quiet: Switch = False
    """Print nothing but errors and what is missing."""
    debug: Switch = False
    """Show tracebacks."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, merge, and exit."""
    run(COMMAND, _main, MergeResultsConfig, argv)


def _main(config: MergeResultsConfig) -> int:
    check_environment()
    from ambidex.benchmarks.merging.merge import merge  # heavy: not for --help
    from ambidex.benchmarks.results.folder import ResultsFolder
    from ambidex.benchmarks.videos.jobs import describe_missing
    from ambidex.envs.shards import missing_shards

    summary = merge(config.results, config.output_dir)
    if not config.quiet:
        print_result(summary)
    missing = missing_shards([ResultsFolder(path).info.shard for path in config.results])
    for warning in (missing, ResultsFolder(config.output_dir).warning, describe_missing(summary.missing_videos)):
        if warning:
            print_message(COMMAND, warning)
    return DONE if summary.complete and not summary.missing_videos else FAILED
