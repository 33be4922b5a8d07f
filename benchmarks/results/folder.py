"""A results folder: benchmark.json, results.jsonl, summary.json, states/ and videos/."""

import shlex
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from ambidex.atomic_files import read_complete_lines, remove_leftovers, replacing
from ambidex.benchmarks.results.row import EpisodeRow
from ambidex.envs.types import Float32Array, FloatArray, RolloutResult
from ambidex.errors import DatasetError
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
    rows = [EpisodeRow.from_line(line) for line in read_complete_lines(directory / RESULTS)]
    twice = [key for key, count in Counter((row.task, row.seed) for row in rows).items() if count > 1]
    if twice:
        raise DatasetError(
            f"{directory / RESULTS}: seed {twice[0][1]} of {twice[0][0]} stands there more than once. The file was "
            "changed after the run; remove the rows that do not belong, or run again into another folder."
        )
    return sorted(rows, key=lambda row: (row.task, row.seed))


def clean(directory: Path) -> None:
    """Remove what killed runs left half-written. Only while the folder is ours."""
    remove_leftovers(directory)
    for part in (STATES, VIDEOS):
        for folder in (directory / part).rglob("*"):
            if folder.is_dir():
                remove_leftovers(folder)


# FOLDED benchmarks.episode_states: What is kept of a benchmarked episode beside its row: enough to film it at any time, from any camera.

STATES = "states"


def states_path(directory: Path, task: str, seed: int) -> Path:
    """Where an episode's states lie in a results folder."""
    return directory / STATES / task_folder(task) / f"{seed}.npz"


@dataclass(frozen=True, kw_only=True, eq=False)
class EpisodeStates:
    """An episode's trajectory. T actions, T+1 states.

    Attributes:
        states: Full integration states, shape (T+1, S) float64.
        actions: What the agent sent, shape (T, A) float32.
        stages: Stage at each state, shape (T+1,) int8.
    """

    states: FloatArray
    actions: Float32Array
    stages: npt.NDArray[np.int8]

    @classmethod
    def of(cls, result: RolloutResult) -> Self:
        return cls(states=result.states, actions=result.actions, stages=result.stages)

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all.

        Raises:
            DatasetError: The disk refuses.
        """
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, states=self.states, actions=self.actions, stages=self.stages)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Inverse of `write`.

        Raises:
            DatasetError: Missing or damaged.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return cls(states=arrays["states"], actions=arrays["actions"], stages=arrays["stages"])
        except FileNotFoundError as error:
            raise DatasetError(missing_states(path)) from error
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise DatasetError(
                f"{path} cannot be read as an episode's states ({type(error).__name__}: {error}). {_remedy(path)}"
            ) from error


def missing_states(path: Path) -> str:
    """What is to be said of an episode whose states are not there."""
    return f"{path}, the file with its states, is missing. {_remedy(path)}"


def _remedy(path: Path) -> str:
    resume = shlex.join(["run-benchmark", "--resume", "--output-dir", str(path.parents[2])])
    return f"Restore the file; or remove the row of seed {path.stem} from results.jsonl and run it again with: {resume}"
