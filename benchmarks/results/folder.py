"""Reads and writes results folders: benchmark.json, results.jsonl, summary.json, states/ and videos/."""

import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import Self

from ambidex.atomic_files import append_line, read_bytes, remove_leftovers, sync_to_disk, write_json, write_text
from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.results.info import BENCHMARK_JSON, COMMAND, BenchmarkInfo
from ambidex.benchmarks.results.row import RESULTS, EpisodeRow
from ambidex.codec import Count, from_json, parse
from ambidex.errors import AmbidexError, DatasetError, MissingDatasetError, UsageError
from ambidex.output_folder import read_rows
from ambidex.policies.run_folder import TRAIN_JSON
from ambidex.recorders.dataset.info import DATASET_JSON
from ambidex.recorders.dataset.layout import VIDEOS, task_folder
from ambidex.text import first_few

SUMMARY = "summary.json"
STATES = "states"
FIRST_REQUEST = "first_request"
"""Folder with the first images that were sent to the server of a policy, as <camera>.png."""
EXPECTED = "Expected a results folder of run-benchmark"
SYNC_INTERVAL_S = 0.1
"""Once in this time, a row that is stored is forced to the disk with those before it, which takes milliseconds."""
ROBUSTNESS_JSON = "robustness.json"
"""File of a folder with results folders for each axis of perturbation and level."""


class ResultsFolder:
    """A results folder of run-benchmark or evaluate-robot, finished or not. Each file is read once, when it is needed.

    Args:
        path: The folder; it may be missing or empty.

    Raises:
        DatasetError: From every method: a file is damaged, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._synced_s = float("-inf")

    @classmethod
    def open(cls, path: Path, *, may_be_empty: bool = False) -> Self:
        """A folder that a user named; with `may_be_empty` also one of a run that has stored no episode yet.

        Raises:
            UsageError: There is no such folder.
            DatasetError: It has no episodes or fewer than its summary counts, or a file is damaged.
        """
        if not path.is_dir():
            raise UsageError(f"There is no folder {path}.", f"{EXPECTED}, {_examples(path)}.", path=path)
        folder = cls(path)
        stored = folder.stored_summary  # before the rows: a run that ends now writes it after them
        if not folder.rows and not (may_be_empty and folder.exists):
            raise _no_episodes(path)
        if stored is not None and stored.episodes > len(folder.rows):
            raise DatasetError(folder.warning, path=path, expected=stored.episodes, got=len(folder.rows))
        return folder

    @property
    def exists(self) -> bool:
        """The folder has a benchmark.json."""
        return (self.path / BENCHMARK_JSON).is_file()

    @cached_property
    def info(self) -> BenchmarkInfo:
        """The content of benchmark.json, which must exist."""
        return BenchmarkInfo.read(self.path)

    @cached_property
    def config(self) -> BenchmarkConfig | None:
        """The flags of run-benchmark; None if another command ran, or this version does not understand them."""
        try:
            return self.info.settings(COMMAND, BenchmarkConfig) if self.exists and not self.of_robot else None
        except AmbidexError:
            return None

    @property
    def of_robot(self) -> bool:
        """evaluate-robot wrote the folder: its rollouts have no states, and videos of the robot's own cameras."""
        return self.exists and bool(self.info.verdicts)

    @cached_property
    def rows(self) -> list[EpisodeRow]:
        """The complete rows of results.jsonl, by task and seed, one per episode; empty if there is no such file."""
        return sorted(self.read_rows(), key=attrgetter("key"))

    def read_rows(self) -> list[EpisodeRow]:
        """Like `rows`, but in the order of the file: the episode that was stored last is the last one."""
        return read_rows(EpisodeRow, self.path / RESULTS, lambda row: f"seed {row.seed} of {row.task}")

    @cached_property
    def stored_summary(self) -> "StoredSummary | None":
        """The content of summary.json; None if there is no such file."""
        path = self.path / SUMMARY
        try:
            values = parse(read_bytes(path))
            episodes = sum(task["n"] for task in values["tasks"].values())
            stored = {"complete": values["complete"], "episodes": episodes, "timings": values.get("timings", {})}
            return from_json(StoredSummary, stored)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            problem = f"{path} cannot be read as a summary ({type(error).__name__}: {error})."
            hint = "Remove it and run the benchmark again with --resume, which writes a new one."
            raise DatasetError(problem, hint, path=path) from error

    @property
    def requested_each(self) -> int | None:
        """Episodes of each task that were requested; None if that is unknown, or differs from task to task."""
        return None if self.exists and (self.info.take_over or self.info.shard) else self._episodes_each

    @property
    def _episodes_each(self) -> int | None:
        """Episodes of each task in the flags, all shards together; None if that is unknown."""
        if self.of_robot:
            rollouts = self.info.config.get("rollouts")
            return rollouts if isinstance(rollouts, int) else None
        return self.config.episodes if self.config else None

    @property
    def requested(self) -> int | None:
        """Episodes that were requested; None if that is unknown."""
        if self.exists and self.info.take_over:
            return self.info.take_over.episodes
        each = self._episodes_each
        if each is None:
            return None
        episodes = range(each * len(self.info.env_specs))
        return len(self.info.shard.of(episodes) if self.info.shard else episodes)

    @property
    def unfinished(self) -> str:
        """That the run is not finished, and how to resume it, as a predicate; empty if it is finished or unknown."""
        if self.requested is None or len(self.rows) >= self.requested:
            return ""
        return (
            f"is not finished: it has {len(self.rows)} of {self.requested} episodes, and its rates cover only these. "
            f"If the run has stopped, resume it with: {self.resume_command}"
        )

    @property
    def lost(self) -> str:
        """That rows are missing, and how to restore them, as a predicate; empty if none are known to be."""
        stored = self.stored_summary  # before the rows, as in `open`
        if stored is None or len(self.rows) >= stored.episodes:
            return ""
        return (
            f"has lost episodes: {SUMMARY} counts {stored.episodes}, {RESULTS} has {len(self.rows)}. Rows were removed "
            "after the run, so the rates of the others can mislead. Restore the file, or run the missing episodes "
            f"again with: {self.resume_command}"
        )

    @property
    def warning(self) -> str:
        """A sentence on lost or unfinished episodes that names the folder; empty if the folder is complete."""
        predicate = self.lost or self.unfinished
        return f"{self.path} {predicate}" if predicate else ""

    @property
    def completeness(self) -> str:
        """How many episodes the folder has and should have, e.g. "7 of 30: not finished"."""
        state = "some were lost" if self.lost else "not finished" if self.unfinished else ""
        of = "" if self.requested is None else f" of {self.requested}"
        return ": ".join(filter(None, (f"{len(self.rows)}{of}", state)))

    @property
    def resume_command(self) -> str:
        """The command that runs missing episodes and renders missing videos."""
        path = self.path.parent if self.info.take_over else self.path
        folder = ["--resume", "--output-dir", str(path)]
        return f"{self.info.command} {shlex.join(folder)}" if self.of_robot else shlex.join([COMMAND, *folder])

    def states_path(self, task: str, seed: int) -> Path:
        """The file with the states of an episode; see `EpisodeStates`."""
        return self.path / STATES / task_folder(task) / f"{seed}.npz"

    def video_path(self, row: EpisodeRow) -> Path:
        """The video of an episode."""
        return self.path / VIDEOS / task_folder(row.task) / f"{row.seed}_{row.outcome}.mp4"

    def write_info(self, info: BenchmarkInfo) -> None:
        """Write benchmark.json."""
        info.write(self.path)
        self.info = info

    def append(self, row: EpisodeRow) -> None:
        """Add a row to results.jsonl. Rows are read again when they are asked for.

        A killed process loses no row. A power failure may cost those that followed within `SYNC_INTERVAL_S`: a
        resumed run has their episodes again.
        """
        self.__dict__.pop("rows", None)  # long runs do not keep them
        due = time.monotonic() >= self._synced_s + SYNC_INTERVAL_S
        append_line(self.path / RESULTS, row.to_line(), sync=due)
        if due:
            self._synced_s = time.monotonic()

    def remove(self, row: EpisodeRow) -> None:
        """Take a row out of results.jsonl."""
        rows = [each for each in self.read_rows() if each.key != row.key]
        write_text(self.path / RESULTS, "".join(f"{each.to_line()}\n" for each in rows))
        self.rows = sorted(rows, key=attrgetter("key"))

    def write_summary(self, values: Mapping[str, object]) -> None:
        """Write summary.json, after what is left to force to the disk of results.jsonl."""
        if (rows := self.path / RESULTS).exists():
            sync_to_disk(rows)
        write_json(self.path / SUMMARY, values)
        self.__dict__.pop("stored_summary", None)

    def remove_leftovers(self) -> None:
        """Remove the incomplete files of killed runs. Only while no other process writes into the folder."""
        remove_leftovers(self.path)
        for part in (STATES, VIDEOS):
            for folder in (self.path / part).rglob("*"):
                if folder.is_dir():
                    remove_leftovers(folder)


@dataclass(frozen=True, kw_only=True)
class StoredSummary:
    """What a later command needs of summary.json.

    It is complete if all requested episodes had a row; `episodes` is the number of rows; `timings` may be empty.
    """

    complete: bool
    episodes: Count
    timings: Mapping[str, float]


def _examples(path: Path) -> str:
    """Results folders beside `path`, similar names first."""
    folders = sorted(folder for folder in path.parent.glob("*") if (folder / RESULTS).is_file())
    folders.sort(key=lambda folder: SequenceMatcher(None, folder.name, path.name).ratio(), reverse=True)
    if not folders:
        return "e.g. results/act-insertion"
    return f"such as those beside it: {first_few([str(folder) for folder in folders], limit=5, separator=', ')}"


def _no_episodes(path: Path) -> DatasetError:
    for file, what in ((DATASET_JSON, "a dataset of record-episodes"), (TRAIN_JSON, "a run of train-policy")):
        if (path / file).exists():
            return MissingDatasetError(f"{path} is {what}.", f"{EXPECTED}, e.g. results/act-insertion.", path=path)
    if (path / ROBUSTNESS_JSON).exists():
        hint = f"Give one of the results folders in it, e.g. {path / 'clean'}, or use report-robustness."
        return MissingDatasetError(f"{path} is a robustness benchmark.", hint, path=path)
    content = first_few(sorted(entry.name for entry in path.iterdir()), limit=5, separator=", ")
    problem = f"{path} has no episodes: it has no row in {RESULTS}, but {content or 'nothing at all'}."
    kind = DatasetError if (path / BENCHMARK_JSON).exists() else MissingDatasetError
    return kind(problem, f"{EXPECTED}; if that run was interrupted, resume it with --resume.", path=path)
