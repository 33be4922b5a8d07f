"""What is kept of a benchmarked episode beside its row: enough to film it at any time, from any camera."""

import shlex
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from ambidex.atomic_files import replacing
from ambidex.envs.types import Float32Array, FloatArray, RolloutResult
from ambidex.errors import DatasetError
from ambidex.recorders.dataset.layout import task_folder

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
