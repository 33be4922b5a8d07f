"""How the tasks of a benchmark are posed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ambidex.envs.env import Environment, make
from ambidex.envs.file_identity import check_files
from ambidex.envs.types import EnvSpec
from ambidex.errors import UsageError
from ambidex.recorders.dataset.layout import task_folder

ENDS = (".pruned_init", ".init")


@dataclass(frozen=True, kw_only=True)
class TaskSettings:
    """How the tasks of a benchmark are posed, the same for every policy.

    Attributes:
        spread: Reset distribution.
        success: Criterion of success.
        horizon: Control steps of an episode; None for the task's own.
        settle_steps: Control steps of doing nothing before it begins.
        settle_gripper: What the gripper does meanwhile, "open" or "hold".
        init_states: File of LIBERO's initial states, or a folder with one per task; None for our own starts.
        definition_sha256: Fingerprint of the definition, if the task is a user's; "" otherwise.
        starts_sha256: Task -> fingerprint of the file of its initial states, as far as is known.
    """

    spread: str = "published"
    success: str = "strict"
    horizon: int | None = None
    settle_steps: int = 0
    settle_gripper: str = "open"
    init_states: Path | None = None
    definition_sha256: str = ""
    starts_sha256: Mapping[str, str] = field(default_factory=dict)

    def environment(
        self,
        task: str,
        *,
        control: str | None = None,
        cameras: Sequence[str] = (),
        image_size: tuple[int, int] | None = None,
        render_quality: str = "standard",
    ) -> Environment:
        """A task under these terms, as `envs.env.make` makes it.

        Raises:
            UsageError: Something that is asked for does not exist or cannot be, or a file has changed.
            DatasetError: Initial states that cannot be read, or are of another task.
        """
        env = make(
            task,
            control=control,
            cameras=cameras,
            image_size=image_size,
            render_quality=render_quality,
            spread=self.spread,
            success=self.success,
            horizon=self.horizon,
            settle_steps=self.settle_steps,
            settle_gripper=self.settle_gripper,
            init_states=self.starts_of(task),
        )
        check_files(self._expected(env.spec), env.spec)
        return env

    def _expected(self, made: EnvSpec) -> EnvSpec:
        starts = self.starts_sha256.get(made.task, "")
        return replace(made, definition_sha256=self.definition_sha256, init_states_sha256=starts)

    def starts_of(self, task: str) -> Path | None:
        """The file of a task's initial states; None for our own starts.

        Raises:
            UsageError: The folder has none for this task.
        """
        folder = self.init_states
        if folder is None or not folder.is_dir():
            return folder
        for path in (folder / f"{task_folder(task)}{end}" for end in ENDS):
            if path.is_file():
                return path
        raise UsageError(
            f"--init-states {folder}: it has no initial states of {task}. Expected {task_folder(task)}{ENDS[0]}, or "
            f"{ENDS[1]}, as LIBERO's init_files/SUITE folders have; or the file of one task."
        )
