"""How the tasks of a benchmark are set up: reset distribution, success, horizon and initial states."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Unpack

from ambidex.envs.env import Environment, make
from ambidex.envs.file_identity import check_files, file_sha256
from ambidex.envs.task import FILENAME
from ambidex.envs.tasks.libero.initial_states.state_file import read_init_states
from ambidex.envs.types import MakeOptions, make_options
from ambidex.errors import UsageError
from ambidex.recorders.dataset.layout import task_folder

INIT_STATES_ENDINGS = (".pruned_init", ".init")


@dataclass(frozen=True, kw_only=True)
class TaskSettings:
    """How the tasks of a benchmark are set up, the same for every policy.

    Attributes:
        spread: Reset distribution.
        dynamics: Friction and gains of the robot, see `envs.env.make`.
        perturb: Perturbations of every episode, likewise.
        success: Criterion of success.
        horizon: Control steps of an episode; None for the task's own.
        settle_steps: No-op control steps before an episode starts.
        settle_gripper: What the gripper does meanwhile, "open" or "hold".
        init_states: File of LIBERO's initial states, or a folder with one per task; None to sample initial states.
        instruction_source: Where the instruction of a .bddl file is from, see `envs.env.make`.
        definition_sha256: SHA-256 of the definition if the task is a user's; "" otherwise.
        init_states_sha256: Task -> SHA-256 of its file of initial states.
    """

    spread: str = "published"
    dynamics: str = "identified"
    perturb: tuple[str, ...] = ()
    success: str = "strict"
    horizon: int | None = None
    settle_steps: int = 0
    settle_gripper: str = "open"
    init_states: Path | None = None
    instruction_source: str = FILENAME
    definition_sha256: str = ""
    init_states_sha256: Mapping[str, str] = field(default_factory=dict)

    def environment(self, task: str, **options: Unpack[MakeOptions]) -> Environment:
        """Make the environment of a task with these settings; the options are those of `make`, no cameras by default.

        Raises:
            UsageError: An argument or a setting is unknown or impossible, or a file has changed.
            DatasetError: Initial states cannot be read, or belong to another task.
        """
        everything: MakeOptions = {
            "cameras": (),
            **options,
            **make_options(self),
            "init_states": init_states_file(self.init_states, task),
        }
        env = make(task, **everything)
        init_states = self.init_states_sha256.get(env.spec.task, "")
        expected = replace(env.spec, definition_sha256=self.definition_sha256, init_states_sha256=init_states)
        check_files(expected, env.spec)
        return env


def init_states_file(path: Path | None, task: str) -> Path | None:
    """The file of a task's initial states: `path` itself, or one in this folder; None for sampled initial states.

    Raises:
        UsageError: The folder has no file for this task.
    """
    if path is None or not path.is_dir():
        return path
    candidates = [path / f"{task_folder(task)}{ending}" for ending in INIT_STATES_ENDINGS]
    found = next((file for file in candidates if file.is_file()), None)
    if found is None:
        hint = (
            f"Expected {' or '.join(file.name for file in candidates)}, as in LIBERO's init_files/SUITE folders; or "
            "name the file of one task."
        )
        raise UsageError(f"--init-states {path} has no initial states of {task}.", hint, path=path, task=task)
    return found


def init_states_sha256(path: Path | None, tasks: Sequence[str], episodes: int) -> dict[str, str]:
    """Task -> SHA-256 of its file of initial states, see `init_states_file`; empty for sampled initial states.

    Raises:
        UsageError: A task has no file, or one with fewer states than episodes: a second episode from the same initial
            state would be the same again.
        DatasetError: A file cannot be read.
    """
    if path and not path.is_dir() and len(tasks) > 1:
        problem = f"--init-states {path} is one file, and there are {len(tasks)} tasks."
        raise UsageError(problem, "Give the folder with one file per task, or one --task.", path=path)
    files = {task: file for task in tasks if (file := init_states_file(path, task)) is not None}
    for file in sorted(set(files.values())):
        _check_count(file, episodes)
    return {task: file_sha256(file) for task, file in files.items()}


def _check_count(file: Path, episodes: int) -> None:
    states = len(read_init_states(file))
    if states < episodes:
        problem = (
            f"--episodes {episodes}: {file} has only {states} initial states, and repeated ones would make the "
            "interval too narrow."
        )
        raise UsageError(problem, f"Give --episodes {states} or fewer.", path=file, got=episodes, expected=states)
