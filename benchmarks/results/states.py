"""Reads and writes the states of an episode, from which videos can be rendered with any camera at any time."""

import shlex
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from ambidex.atomic_files import replacing
from ambidex.benchmarks.results.info import COMMAND
from ambidex.envs.types import Float32Array, FloatArray, RolloutResult
from ambidex.errors import DatasetError


@dataclass(frozen=True, kw_only=True, eq=False)
class EpisodeStates:
    """The trajectory of an episode: T actions, T+1 states.

    Attributes:
        states: Full MuJoCo integration states, shape (T+1, S) float64.
        actions: The agent's actions, shape (T, A) float32.
        stages: Stage at each state, shape (T+1,) int8.
    """

    states: FloatArray
    actions: Float32Array
    stages: npt.NDArray[np.int8]

    @classmethod
    def of(cls, result: RolloutResult) -> Self:
        return cls(states=result.states, actions=result.actions, stages=result.stages)

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, states=self.states, actions=self.actions, stages=self.stages)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Inverse of `write`.

        Raises:
            DatasetError: The file is missing or damaged.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return cls(states=arrays["states"], actions=arrays["actions"], stages=arrays["stages"])
        except FileNotFoundError as error:
            raise missing_states(path) from error
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            problem = f"{path} cannot be read as states of an episode ({type(error).__name__}: {error})."
            raise DatasetError(problem, _hint(path), path=path) from error


def missing_states(path: Path) -> DatasetError:
    """The error for an episode whose file of states is missing."""
    return DatasetError(f"{path} is missing, the file with the states of the episode.", _hint(path), path=path)


def _hint(path: Path) -> str:
    resume = shlex.join([COMMAND, "--resume", "--output-dir", str(path.parents[2])])
    return f"Restore the file, or remove the row of seed {path.stem} from results.jsonl and run it again with: {resume}"
