"""Layout of a run folder: its checkpoints, and the files of each. Needs no torch."""

import os
import shutil
from collections.abc import Collection, Sequence
from itertools import count, takewhile
from pathlib import Path

from ambidex.atomic_files import TEMPORARY
from ambidex.codec import parse
from ambidex.errors import CheckpointError, UsageError
from ambidex.text import first_few

RUNS = Path("runs")
TRAIN_JSON = "train.json"
CHECKPOINTS = "checkpoints"
LAST = "last"
CONFIG = "config.json"
ENV_SPEC = "env_spec.json"
STATISTICS = "statistics.json"
MODEL = "model.safetensors"
FURTHER_EMBODIMENTS = "robots"
TRAINING_STATE = "training_state"
TASK_SEPARATOR = "+"  # in the merged spec of several datasets
MAX_NAMED = 3  # datasets in the name of a run


def default_run(policy: str, data: Sequence[Path], root: Path = RUNS) -> Path:
    """The default run folder, runs/POLICY-DATASET; many datasets are named by the folder that they are in."""
    folders = [path.resolve() for path in data]
    if len(folders) <= MAX_NAMED:
        return root / f"{policy}-{'+'.join(folder.name for folder in folders)}"
    parents = list(dict.fromkeys(folder.parent.name for folder in folders))
    return root / f"{policy}-{'+'.join(parents[:MAX_NAMED])}-{len(folders)}"


def newest_run(policy_name: str, tasks: Collection[str], root: Path = RUNS) -> Path:
    """The run of a policy, trained on some tasks (or more), whose last checkpoint is the newest.

    Raises:
        UsageError: There is none; the message names those of other tasks, and the command that makes one.
    """
    folders = root.iterdir() if root.is_dir() else ()
    runs = [run for run in folders if policy_of(run / CHECKPOINTS / LAST) == policy_name]
    trained = {run: {task for names in trained_tasks(run / CHECKPOINTS / LAST) for task in names} for run in runs}
    fitting = [run for run in runs if trained[run].issuperset(tasks)]
    if not fitting:
        command = f"`train-policy --policy {policy_name} --preset tiny --data data/TASK`"
        hint = f"Train one with {command}, or name a checkpoint with --checkpoint."
        others = first_few([f"{run} ({first_few(sorted(names))})" for run, names in sorted(trained.items())])
        problem = f"There is no trained {policy_name} under {root}."
        if runs:
            wanted = first_few(list(tasks), separator=", ")
            problem = f"No run of {policy_name} under {root} was trained on {wanted}, only {others}."
        raise UsageError(problem, hint, path=root, expected=tuple(tasks))
    return max(fitting, key=lambda run: (run / CHECKPOINTS / LAST / CONFIG).stat().st_mtime_ns)


def trained_tasks(checkpoint: Path) -> list[list[str]]:
    """The tasks of each embodiment of a checkpoint; empty for one that cannot be read."""
    try:
        specs = [parse((folder / ENV_SPEC).read_bytes()) for folder in embodiment_folders(checkpoint)]
        return [str(spec["task"]).split(TASK_SEPARATOR) for spec in specs]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def policy_of(checkpoint: Path) -> str | None:
    """The registered policy of a checkpoint; None for a folder that is none or cannot be read."""
    try:
        policy = parse((checkpoint / CONFIG).read_bytes())["policy"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(policy)


def checkpoint_path(run: Path, step: int) -> Path:
    """Folder of the checkpoint of a step."""
    return run / CHECKPOINTS / str(step)


def embodiment_folder(checkpoint: Path, index: int) -> Path:
    """Folder with spec and statistics of an embodiment; those of the first are in the checkpoint's own folder."""
    return checkpoint / FURTHER_EMBODIMENTS / str(index) if index else checkpoint


def embodiment_folders(checkpoint: Path) -> list[Path]:
    """The existing folders of a checkpoint's embodiments."""
    further = takewhile(Path.is_dir, (embodiment_folder(checkpoint, index) for index in count(1)))
    return [checkpoint, *further]


def find_checkpoint(path: Path) -> Path:
    """The folder of one checkpoint, given that, checkpoints/last, or the run folder.

    Raises:
        UsageError: There is none.
        CheckpointError: checkpoints/last points to nothing.
    """
    for candidate in (path, path / LAST, path / CHECKPOINTS / LAST):
        if (candidate / CONFIG).is_file():
            return candidate.resolve()
        if candidate.is_symlink():
            steps = saved_steps(candidate.parent.parent)
            problem = f"{candidate} points to {candidate.readlink()}, which is no checkpoint."
            hint = f"Name the folder of another step: {', '.join(map(str, steps)) or 'there is none'}."
            raise CheckpointError(problem, hint, path=candidate, expected=steps)
    hint = "Expected a run folder (runs/NAME) or a checkpoint in it (runs/NAME/checkpoints/STEP)."
    raise UsageError(f"{path} is no checkpoint: it has no {CONFIG}.", hint, path=path)


def saved_steps(run: Path) -> list[int]:
    """Steps that have a checkpoint, ascending."""
    folder = run / CHECKPOINTS
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return sorted(int(name) for name in names if name.isdecimal())


def resumable_steps(run: Path) -> list[int]:
    """Steps that training can resume from, ascending."""
    return [step for step in saved_steps(run) if (checkpoint_path(run, step) / TRAINING_STATE).is_dir()]


def resumable_step(run: Path) -> int | None:
    """The last step that training can resume from; None if there is none."""
    return max(resumable_steps(run), default=None)


def point_last_to(run: Path, step: int) -> None:
    """Let checkpoints/last point to the checkpoint of a step, atomically."""
    folder = run / CHECKPOINTS
    temporary = folder / f".{LAST}{TEMPORARY}{os.getpid()}"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(str(step))
    temporary.replace(folder / LAST)


def prune(run: Path, keep: int, done: int) -> None:
    """Keep the newest `keep` checkpoints up to step `done` (0: all), and the training state of that step only.

    Later checkpoints, which a restarted training may find, stay until it reaches them.
    """
    steps = saved_steps(run)
    for step in steps:
        if step != done:
            _remove(checkpoint_path(run, step) / TRAINING_STATE)
    before = [step for step in steps if step <= done]
    for step in before[: -keep or len(before)] if keep else []:
        _remove(checkpoint_path(run, step))


def _remove(folder: Path) -> None:
    """Remove a folder so that it is never visible in part."""
    if not folder.exists():
        return
    parent = folder.parent.parent if folder.name == TRAINING_STATE else folder.parent
    doomed = parent / f".{folder.name}{TEMPORARY}{os.getpid()}"
    folder.rename(doomed)
    shutil.rmtree(doomed)
