"""A results folder: benchmark.json, results.jsonl, summary.json, states/ and videos/."""

from collections import Counter
from pathlib import Path

from ambidex.atomic_files import read_complete_lines, remove_leftovers
from ambidex.benchmarks.episode_row import EpisodeRow
from ambidex.benchmarks.episode_states import STATES
from ambidex.benchmarks.running.benchmark_info import BENCHMARK_JSON
from ambidex.directory_lock import LOCK
from ambidex.errors import DatasetError, UsageError
from ambidex.recorders.dataset.layout import VIDEOS, task_folder

RESULTS = "results.jsonl"
SUMMARY = "summary.json"

SHOWN = 5


def video_path(directory: Path, row: EpisodeRow) -> Path:
    """Where the video of an episode lies in a results folder."""
    return directory / VIDEOS / task_folder(row.task) / f"{row.seed}_{row.outcome}.mp4"


def read_rows(directory: Path) -> list[EpisodeRow]:
    """The complete rows of results.jsonl, by task and seed; empty if there is no such file.

    Raises:
        DatasetError: A row is damaged, or an episode stands there twice.
    """
    rows = [EpisodeRow.from_json(line) for line in read_complete_lines(directory / RESULTS)]
    twice = [key for key, count in Counter((row.task, row.seed) for row in rows).items() if count > 1]
    if twice:
        raise DatasetError(
            f"{directory / RESULTS}: seed {twice[0][1]} of {twice[0][0]} stands there more than once. The file was "
            "changed after the run; remove the rows that do not belong, or run again into another folder."
        )
    return sorted(rows, key=lambda row: (row.task, row.seed))


def check_results_folder(directory: Path, *, resume: bool) -> None:
    """Refuse a folder that holds something, unless it holds results to go on with.

    Raises:
        UsageError: Says what is in it and what to do.
    """
    present = _contents(directory)
    if not present or (resume and BENCHMARK_JSON in present):
        return
    listed = ", ".join(present[:SHOWN]) + (f" and {len(present) - SHOWN} more" if len(present) > SHOWN else "")
    if resume:
        raise UsageError(
            f"--resume: {directory} holds no results that could be gone on with: it has no {BENCHMARK_JSON}, but {listed}. Give "
            "the --output-dir of the run to go on with, or an empty one."
        )
    advice = "Go on with it by --resume, or give" if BENCHMARK_JSON in present else "Give"
    raise UsageError(f"{directory} is not empty: it holds {listed}. {advice} another --output-dir, or remove it.")


def clean(directory: Path) -> None:
    """Remove what killed runs left half-written. Only while the folder is ours."""
    remove_leftovers(directory)
    for part in (STATES, VIDEOS):
        for folder in (directory / part).rglob("*"):
            if folder.is_dir():
                remove_leftovers(folder)


def _contents(directory: Path) -> list[str]:
    if not directory.is_dir():
        return []
    return sorted(path.name for path in directory.iterdir() if path.name != LOCK and ".tmp-" not in path.name)
