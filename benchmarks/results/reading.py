"""The episodes of a results folder that somebody named, and what is said if it is none."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.results.folder import RESULTS, SUMMARY, read_rows
from ambidex.benchmarks.results.info import BenchmarkInfo
from ambidex.benchmarks.results.row import EpisodeRow
from ambidex.benchmarks.results.tally import StoredSummary
from ambidex.errors import AmbidexError, DatasetError, UsageError
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


# FOLDED benchmarks.episode_count: How many episodes a results folder holds, and how many it should.

COMMAND = "run-benchmark"


@dataclass(frozen=True, kw_only=True)
class EpisodeCount:
    """How many episodes a results folder holds, and how many it should.

    Attributes:
        folder: The results folder.
        there: Rows of results.jsonl.
        wanted: Episodes that were asked for; None if nobody knows.
        summed: Episodes that summary.json counts; None if there is none.
    """

    folder: Path
    there: int
    wanted: int | None
    summed: int | None

    @property
    def unfinished(self) -> str:
        """Of how many the episodes there are only a part, and how to go on; empty if all are there or nobody knows."""
        if self.wanted is None or self.there >= self.wanted:
            return ""
        return (
            f"is not finished: {self.there} of {self.wanted} episodes are there, and its rates are those of these "
            f"alone. If it no longer runs, go on with: {self._resume}"
        )

    @property
    def lost(self) -> str:
        """How many rows are gone, and what to do; empty if none is known to be."""
        if self.summed is None or self.there >= self.summed:
            return ""
        return (
            f"has lost episodes: {SUMMARY} counts {self.summed}, {RESULTS} has {self.there}. Rows were removed after "
            "the run, and the rates of those that are left can mislead. Restore the file, or make the missing rows "
            f"again with: {self._resume}"
        )

    @property
    def warning(self) -> str:
        """What a reader should know before trusting the rates, with the folder; empty for nothing."""
        said = self.lost or self.unfinished
        return f"{self.folder} {said}" if said else ""

    def in_words(self) -> str:
        """The numbers alone, e.g. "7 of 30: not finished"."""
        of = "" if self.wanted is None else f" of {self.wanted}"
        state = "some were lost" if self.lost else "not finished" if self.unfinished else ""
        return ": ".join(filter(None, (f"{self.there}{of}", state)))

    @property
    def _resume(self) -> str:
        return shlex.join([COMMAND, "--resume", "--output-dir", str(self.folder)])


def episodes_per_task(info: BenchmarkInfo) -> int | None:
    """How many episodes of each task were asked for; None if a command of another version does not tell."""
    try:
        return info.settings(COMMAND, BenchmarkConfig).episodes
    except AmbidexError:
        return None


def episodes_wanted(info: BenchmarkInfo) -> int | None:
    """How many episodes were asked for in all; None if a command of another version does not tell."""
    each = episodes_per_task(info)
    return None if each is None else each * len(info.env_specs)


# FOLDED benchmarks.seed_ranges: Which episodes, in few words.


def format_seeds(keys: Iterable[tuple[str, int]]) -> str:
    """Seeds by task, runs of them shortened: "insertion 100000 to 100049, 100060; transfer_cube 100000".

    Args:
        keys: Tasks and seeds, in any order.
    """
    seeds: dict[str, list[int]] = {}
    for task, seed in sorted(keys):
        seeds.setdefault(task, []).append(seed)
    return "; ".join(f"{task} {', '.join(_runs(found))}" for task, found in seeds.items())


def _runs(seeds: list[int]) -> list[str]:
    runs: list[list[int]] = []
    for seed in seeds:
        if runs and seed == runs[-1][-1] + 1:
            runs[-1][1:] = [seed]
        else:
            runs.append([seed])
    return [" to ".join(map(str, run)) for run in runs]
