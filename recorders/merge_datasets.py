"""The command `merge-datasets`, and its flags."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import tyro

from ambidex.command_line import DONE, FAILED, print_message, print_result, run
from ambidex.envs.simulation.opengl import check_environment
from ambidex.errors import UsageError
from ambidex.flags import Switch
from ambidex.recorders.dataset.info import DATASET_JSON
from ambidex.recorders.dataset.repair import rerecord_command

COMMAND = "merge-datasets"


@dataclass(frozen=True, kw_only=True)
class MergeDatasetsConfig:
    """Merge the shards of a recording, see record-episodes --shard, into the dataset that a single run records.

    Shards may be incomplete or missing. If attempts failed or are missing, the dataset is that of an interrupted run,
    the command that completes it is printed, and the exit status is 1. Shards that were recorded with different flags,
    versions or models are refused. They are only read; episodes of the act format are hard links to theirs, or copies
    on another file system.
    """

    paths: tyro.conf.Positional[Annotated[tuple[Path, ...], tyro.conf.arg(metavar="PATH [PATH ...]")]]
    """Datasets of one task, or folders of one suite."""
    output_dir: Path
    """The merged dataset, or for folders of a suite the folder of its datasets; it must be empty or not exist."""
    quiet: Switch = False
    """Print nothing but errors and what is left to record."""
    debug: Switch = False
    """Show tracebacks."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, merge, and exit."""
    run(COMMAND, _main, MergeDatasetsConfig, argv)


def _main(config: MergeDatasetsConfig) -> int:
    check_environment()
    from ambidex.recorders.merging.merge import merge  # heavy: not for --help

    if not config.paths:
        raise UsageError("No path is given.", "Name the shards: merge-datasets data/*-shard-* --output-dir data/all.")
    summaries = merge(config.paths, config.output_dir)
    for summary in summaries:
        if not config.quiet:
            print_result(summary)
        if not summary.info.complete:
            command = rerecord_command(summary.directory / DATASET_JSON)
            missing = f"{summary.info.episodes} of {summary.info.config['num_episodes']} episodes are stored"
            found = f"{missing}. {summary.missing}".rstrip(" .")
            print_message(COMMAND, f"{summary.info.env_spec.task}: {found}. Record the others with: {command}")
    return DONE if all(summary.info.complete for summary in summaries) else FAILED
