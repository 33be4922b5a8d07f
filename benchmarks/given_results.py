"""The episodes of a results folder that somebody named, and what is said if it is none."""

from difflib import SequenceMatcher
from pathlib import Path

from ambidex.benchmarks.episode_count import EpisodeCount
from ambidex.benchmarks.episode_row import EpisodeRow
from ambidex.benchmarks.results_folder import RESULTS, read_rows
from ambidex.benchmarks.stored_summary import StoredSummary
from ambidex.errors import DatasetError, UsageError
from ambidex.policies.run_folder import TRAIN_JSON
from ambidex.recorders.dataset.info import DATASET_JSON

SHOWN = 5  # folders or files that are named in a message
WANTED = "Expected a results folder of run-benchmark"


def given_rows(path: Path) -> list[EpisodeRow]:
    """The episodes of a folder that run-benchmark wrote, finished or not, by task and seed; at least one.

    Raises:
        UsageError: There is no such folder.
        DatasetError: It holds no episodes or fewer than its summary counts, or it is damaged.
    """
    if not path.is_dir():
        raise UsageError(f"There is no folder {path}. {WANTED}, {_examples(path)}.")
    summary = StoredSummary.read(path)  # before the rows: a run that ends now writes a longer one after them
    rows = read_rows(path)
    if not rows:
        raise DatasetError(f"{path} {_instead(path)}")
    lost = EpisodeCount(
        folder=path, there=len(rows), wanted=None, summed=None if summary is None else summary.episodes
    ).lost
    if lost:
        raise DatasetError(f"{path} {lost}")
    return rows


def _examples(path: Path) -> str:
    """Results folders where `path` was looked for, those of like names first."""
    there = sorted(folder for folder in path.parent.glob("*") if (folder / RESULTS).is_file())
    there.sort(key=lambda folder: SequenceMatcher(None, folder.name, path.name).ratio(), reverse=True)
    if not there:
        return "e.g. results/act-insertion"
    more = f" and {len(there) - SHOWN} more" if len(there) > SHOWN else ""
    return f"such as those beside it: {', '.join(map(str, there[:SHOWN]))}{more}"


def _instead(path: Path) -> str:
    """What is there instead of episodes."""
    for file, what in ((DATASET_JSON, "a dataset of record-episodes"), (TRAIN_JSON, "a run of train-policy")):
        if (path / file).exists():
            return f"is {what}. {WANTED}, e.g. results/act-insertion."
    present = sorted(entry.name for entry in path.iterdir())
    return (
        f"holds no episode: it has no row in {RESULTS}, but {', '.join(present[:SHOWN]) or 'nothing at all'}. "
        f"{WANTED}; if that run was stopped early, go on with it by --resume."
    )
