"""Finds out what a folder holds, and reads it."""

from collections.abc import Sequence
from pathlib import Path

from ambidex.benchmarks.gallery.report_dataset import is_dataset, read_dataset
from ambidex.benchmarks.gallery.report_results import is_results, read_results
from ambidex.benchmarks.gallery.report_run import ReportRun
from ambidex.benchmarks.gallery.watch_look import check_look, in_look
from ambidex.benchmarks.look import Look
from ambidex.errors import UsageError

SHOWN = 5


def read_runs(paths: Sequence[Path], look: Look) -> list[ReportRun]:
    """What results or dataset folders hold, with their videos in a look.

    Raises:
        UsageError: A folder is neither, or the look is impossible: an unknown camera or quality, an image size out of
            range.
        DatasetError: A folder is damaged.
    """
    runs = [read_run(path) for path in paths]
    if look != Look():
        for spec, folder in {spec.task: (spec, run.folder) for run in runs for spec in run.specs.values()}.values():
            check_look(spec, look, folder)
    return [in_look(run, look) for run in runs]


def read_run(path: Path) -> ReportRun:
    """What a results or dataset folder holds.

    Raises:
        UsageError: It is neither.
        DatasetError: It is damaged.
    """
    if is_results(path):
        return read_results(path)
    if is_dataset(path):
        return read_dataset(path)
    raise UsageError(
        f"{path} {_trouble(path)}. Expected a results folder, which run-benchmark wrote, or a dataset folder, which "
        f"record-episodes wrote.{_suggestions(path)}"
    )


def _trouble(path: Path) -> str:
    if not path.exists():
        return "does not exist"
    if not path.is_dir():
        return "is a file"
    return "is neither: it has no benchmark.json and no dataset.json"


def _suggestions(path: Path) -> str:
    folder = path if path.is_dir() else path.parent
    if not folder.is_dir():
        return ""
    candidates = [folder, *sorted(child for child in folder.iterdir() if child.is_dir())]
    near = [candidate for candidate in candidates if is_results(candidate) or is_dataset(candidate)]
    if not near:
        return ""
    more = f" and {len(near) - SHOWN} more" if len(near) > SHOWN else ""
    return f" What can be watched near it: {', '.join(map(str, near[:SHOWN]))}{more}."
