"""Reads and writes the states of an episode, from which videos can be rendered with any camera at any time."""

import shlex
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from ambidex.atomic_files import check_regular_file, replacing
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.info import COMMAND, TakeOverStep
from ambidex.envs.perturbations.registry import event_step
from ambidex.envs.types import Float32Array, FloatArray, RolloutResult
from ambidex.errors import DatasetError
from ambidex.recorders.hdf5.reading import LARGEST_ARRAY

UNREADABLE = (OSError, ValueError, KeyError, TypeError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error)


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
            check_regular_file(path)
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                largest = max((member.file_size for member in arrays.zip.infolist()), default=0)
                if largest > LARGEST_ARRAY:  # a few kilobytes can stand for gigabytes
                    raise ValueError(f"an array has {largest / 1e6:.0f} MB, expected at most {LARGEST_ARRAY / 1e6:.0f}")
                found = cls(states=arrays["states"], actions=arrays["actions"], stages=arrays["stages"])
            found._check()
            return found
        except FileNotFoundError as error:
            raise missing_states(path) from error
        except UNREADABLE as error:
            problem = f"{path} cannot be read as states of an episode ({type(error).__name__}: {error})."
            raise DatasetError(problem, _hint(path), path=path) from error

    def _check(self) -> None:
        """Raise a ValueError unless types and shapes are those of a trajectory, and its numbers finite."""
        steps = len(self.actions)
        for name, dtype, shape in (
            ("states", np.float64, (steps + 1, *self.states.shape[1:2])),
            ("actions", np.float32, (steps, *self.actions.shape[1:2])),
            ("stages", np.int8, (steps + 1,)),
        ):
            array = getattr(self, name)
            if (array.dtype, array.shape, array.ndim) != (dtype, shape, 1 if name == "stages" else 2):
                raise ValueError(
                    f"{name} has {array.dtype} of shape {array.shape}, expected {dtype.__name__} of {shape}"
                )
        if not np.isfinite(self.states).all():
            raise ValueError("a state is not finite")


def taken_over_state(take_over: TakeOverStep, task: str, seed: int) -> FloatArray:
    """The stored state (S,) from which an episode starts within a failure of another policy.

    Raises:
        DatasetError: The file with the states of that failure is missing, damaged or too short.
    """
    path = ResultsFolder(Path(take_over.source)).states_path(task, seed)
    states = EpisodeStates.read(path).states
    if take_over.step >= len(states):
        problem = f"{path} has states of the steps 0 to {len(states) - 1}, not of step {take_over.step}."
        raise DatasetError(problem, _hint(path), path=path, got=len(states), expected=take_over.step)
    state: FloatArray = states[take_over.step]
    return state


def taken_over_event(take_over: TakeOverStep, task: str, seed: int) -> int | None:
    """0 if a perturbation `event` had set in before or in the state from which an episode starts; else None."""
    rows = ResultsFolder(Path(take_over.source)).rows
    step = next((event_step(row.perturbed) for row in rows if row.key == (task, seed)), None)
    return 0 if step is not None and step <= take_over.step else None


def missing_states(path: Path) -> DatasetError:
    """The error for an episode whose file of states is missing."""
    return DatasetError(f"{path} is missing, the file with the states of the episode.", _hint(path), path=path)


def _hint(path: Path) -> str:
    resume = shlex.join([COMMAND, "--resume", "--output-dir", str(path.parents[2])])
    return f"Restore the file, or remove the row of seed {path.stem} from results.jsonl and run it again with: {resume}"
