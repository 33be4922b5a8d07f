"""What lies where in a training run's folder. Needs no torch."""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from ambidex.errors import CheckpointError, UsageError

CHECKPOINTS = "checkpoints"
LAST = "last"
TRAINING_STATE = "training_state"
CONFIG = "config.json"
TRAIN_JSON = "train.json"
RUNS = Path("runs")
SHOWN = 5
NAMED = 3  # datasets that a folder is named after
_TEMPORARY = ".tmp-"


def default_run(policy: str, data: Sequence[Path], root: Path = RUNS) -> Path:
    """Where a training goes unless told otherwise: runs/POLICY-DATASET; many datasets go by the folder they lie in."""
    folders = [path.resolve() for path in data]
    if len(folders) <= NAMED:
        return root / f"{policy}-{'+'.join(folder.name for folder in folders)}"
    parents = list(dict.fromkeys(folder.parent.name for folder in folders))
    return root / f"{policy}-{'+'.join(parents[:NAMED])}-{len(folders)}"


def checkpoint_path(run: Path, step: int) -> Path:
    """Where the checkpoint of a step lies."""
    return run / CHECKPOINTS / str(step)


def saved_steps(run: Path) -> list[int]:
    """Steps of which there is a checkpoint, ascending."""
    folder = run / CHECKPOINTS
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return sorted(int(name) for name in names if name.isdecimal())


def resumable_step(run: Path) -> int | None:
    """The newest step that training can go on from; None if there is none."""
    return max(resumable_steps(run), default=None)


def resumable_steps(run: Path) -> list[int]:
    """All steps that training can go on from, ascending."""
    return [step for step in saved_steps(run) if (checkpoint_path(run, step) / TRAINING_STATE).is_dir()]


def point_last_to(run: Path, step: int) -> None:
    """Let checkpoints/last be this one; it is the old or the new one at any moment."""
    folder = run / CHECKPOINTS
    temporary = folder / f".{LAST}{_TEMPORARY}{os.getpid()}"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(str(step))
    temporary.replace(folder / LAST)


def prune(run: Path, keep: int, done: int) -> None:
    """Keep the newest `keep` checkpoints up to step `done` (0: all), and the training state of that step alone.

    Later ones, which a training that began again finds there, stay until it comes to them.
    """
    steps = saved_steps(run)
    for step in steps:
        if step != done:
            _remove(checkpoint_path(run, step) / TRAINING_STATE)
    before = [step for step in steps if step <= done]
    for step in before[: -keep or len(before)] if keep else []:
        _remove(checkpoint_path(run, step))


def remove_leftovers(run: Path) -> None:
    """Remove what killed processes left half-written. Only while nobody writes there."""
    for leftover in (run / CHECKPOINTS).glob(f".*{_TEMPORARY}*"):
        if leftover.is_symlink():
            leftover.unlink()
        else:
            shutil.rmtree(leftover)


def find_checkpoint(path: Path) -> Path:
    """The folder of one checkpoint, given that, checkpoints/last, or the run's folder.

    Raises:
        UsageError: There is none.
        CheckpointError: checkpoints/last points to nothing.
    """
    for candidate in (path, path / LAST, path / CHECKPOINTS / LAST):
        if (candidate / CONFIG).is_file():
            return candidate.resolve()
        if candidate.is_symlink():
            raise CheckpointError(
                f"{candidate} points to {candidate.readlink()}, which is no checkpoint. There are the steps "
                f"{_listed(candidate.parent)}; name the folder of one."
            )
    raise UsageError(
        f"{path} is no checkpoint: it has no {CONFIG}. Expected the folder of a run (runs/NAME), or of one of its "
        "checkpoints (runs/NAME/checkpoints/STEP) that train-policy wrote."
    )


def newest_run(policy_name: str, root: Path = RUNS) -> Path:
    """The run of a policy whose last checkpoint is the newest.

    Raises:
        UsageError: There is none; the message names the command that makes one.
    """
    runs = [run for run in root.iterdir() if _policy_of(run) == policy_name] if root.is_dir() else []
    if not runs:
        raise UsageError(
            f"There is no trained {policy_name} under {root}. Train one with `train-policy --policy {policy_name} "
            "--data data/TASK`, or name a checkpoint with --checkpoint."
        )
    return max(runs, key=lambda run: (run / CHECKPOINTS / LAST / CONFIG).stat().st_mtime_ns)


def _policy_of(run: Path) -> str | None:
    try:
        policy = json.loads((run / CHECKPOINTS / LAST / CONFIG).read_text(encoding="utf-8"))["policy"]
    except (OSError, ValueError, KeyError, TypeError):  # something else that lies there
        return None
    return str(policy)


def _listed(checkpoints: Path) -> str:
    return ", ".join(str(step) for step in saved_steps(checkpoints.parent)) or "none"


def _remove(folder: Path) -> None:
    """Remove a folder so that it is never seen in part."""
    if not folder.exists():
        return
    doomed = folder.parent.parent if folder.name == TRAINING_STATE else folder.parent
    doomed = doomed / f".{folder.name}{_TEMPORARY}{os.getpid()}"
    folder.rename(doomed)
    shutil.rmtree(doomed)
