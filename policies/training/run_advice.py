"""What to do about a run that cannot go on, in words."""

import shlex
from pathlib import Path
from typing import Any

from ambidex.policies.checkpoint import policy_type
from ambidex.policies.policy import Policy
from ambidex.policies.training.run_folder import checkpoint_path, resumable_step, resumable_steps
from ambidex.policies.training.train_config import TrainConfig


def after_damage(run: Path, step: int, policy: str) -> str:
    """What to do where the training state of a step is damaged."""
    folder, others = checkpoint_path(run, step), [other for other in resumable_steps(run) if other != step]
    begins = "begins again with step 1, as no other checkpoint holds what going on needs"
    how = f"goes on from step {max(others)}" if others else begins
    kept = f" Or keep what is learnt, in a run of another --output-dir: --finetune {shlex.quote(str(folder))}."
    return (
        f"Delete the folder {folder} and give the same command: the training then {how}."
        f"{kept if _begins_with_checkpoints(policy) else ''}"
    )


def after_other_settings(run: Path, old: TrainConfig[Any], new: TrainConfig[Any], lines: int) -> str:
    """What to do where --resume came with flags that differ.

    Args:
        run: The run's folder.
        old: Its settings.
        new: Those asked for.
        lines: In how many of them they differ.
    """
    usual = "Leave out the flags that differ, or train in another --output-dir."
    if old.schedule != "cosine" or new.steps <= old.steps:
        return usual
    ended = resumable_step(run) == old.steps
    return _longer(run, old, new) if ended and lines == 1 else f"{usual} {_longer(run, old, new)}"


def _longer(run: Path, old: TrainConfig[Any], new: TrainConfig[Any]) -> str:
    ended = f"The cosine of its learning rate ends at step {old.steps}, so this run does not go on beyond it."
    if not _begins_with_checkpoints(new.policy):
        return f"{ended} Train {new.steps} steps in another --output-dir."
    words = ["train-policy", "--policy", new.policy, "--preset", new.preset, "--finetune", str(run), "--data"]
    words += [*map(str, new.data), "--steps", str(new.steps - old.steps), "--output-dir", f"{run}-longer"]
    return f"{ended} Begin another run with what it has learnt: `{shlex.join(words)}`."


def _begins_with_checkpoints(policy: str) -> bool:
    return policy_type(policy).take_over is not Policy.take_over
