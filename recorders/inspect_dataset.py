"""The command `inspect-dataset`, and its flags."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import tyro

from ambidex.atomic_files import write_json
from ambidex.codec import to_json
from ambidex.command_line import DONE, FAILED, print_message, print_result, run
from ambidex.errors import UsageError
from ambidex.flags import OptionalPath, Switch

COMMAND = "inspect-dataset"


@dataclass(frozen=True, kw_only=True)
class InspectConfig:
    """Show what a dataset of any format holds, and what is wrong with it, without reading images.

    Episodes, lengths, cameras, disk space, idle steps, and for each dimension of states and actions its unit, range and
    how often it is at its smallest or largest value. Problems are episodes that are missing or damaged, numbers that
    are not finite, duplicate episodes, and jumps; with any of them the exit status is 1. verify-episodes also replays.
    """

    paths: tyro.conf.Positional[Annotated[tuple[Path, ...], tyro.conf.arg(metavar="PATH [PATH ...]")]]
    """Dataset folders, folders with datasets in them, or files."""
    json: OptionalPath = None
    """Also write everything to this JSON file."""
    plot: OptionalPath = None
    """Draw the trajectories of all dimensions into this PNG file; of one dataset only."""
    rerun: OptionalPath = None
    """Write the episodes with their images into this .rrd file for the viewer Rerun; of one dataset only."""
    quiet: Switch = False
    """Print nothing but problems and errors."""
    debug: Switch = False
    """Show tracebacks."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, inspect, and exit."""
    run(COMMAND, _main, InspectConfig, argv)


def _main(config: InspectConfig) -> int:
    from ambidex.recorders.inspection.inspect import inspect  # heavy: not for --help
    from ambidex.recorders.inspection.plot import plot_tracks
    from ambidex.recorders.inspection.report import report

    if config.rerun is not None:
        from ambidex.recorders.inspection.rerun_file import write_rerun  # an optional package
    if not config.paths:
        raise UsageError("No path is given.", "Name a dataset, e.g. inspect-dataset data/transfer_cube.")
    found = []
    for path in config.paths:
        for inspection, tracks in inspect(path):
            found.append(inspection)
            if config.plot is not None and len(found) == 1:
                plot_tracks(config.plot, inspection, tracks)
            if config.rerun is not None and len(found) == 1:
                write_rerun(config.rerun, inspection, tracks, quiet=config.quiet)
            if not config.quiet:
                print_result(report(inspection))
            for problem in inspection.problems if config.quiet else ():
                print_message(COMMAND, f"{inspection.path}: {problem}")
    for file in filter(None, (config.plot, config.rerun) if len(found) > 1 else ()):
        print_message(COMMAND, f"{file} shows the first of {len(found)} datasets, {found[0].path}.")
    if config.json is not None:
        write_json(config.json, {"datasets": [to_json(each) for each in found]})
    return FAILED if any(each.problems for each in found) else DONE
