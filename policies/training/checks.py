"""What can be refused before any work is done."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ambidex.envs.types import EnvSpec
from ambidex.errors import UsageError
from ambidex.policies.checkpoint import policy_class
from ambidex.policies.data.episode_table import EpisodeTable
from ambidex.policies.data.storage import DATA_PATHS
from ambidex.policies.messages import PolicyInputs
from ambidex.policies.policy import Policy
from ambidex.policies.run_folder import checkpoint_path, resumable_step, resumable_steps
from ambidex.policies.training.config import TrainConfig
from ambidex.policies.training.distributed import PRECISIONS
from ambidex.policies.training.plan import TrainPlan
from ambidex.text import first_few

CHOICES = {"schedule": ("cosine", "constant"), "precision": PRECISIONS, "data_path": DATA_PATHS}
AT_LEAST_ONE = "steps batch_size validate_every save_every log_every".split()
NOT_NEGATIVE = (
    "learning_rate backbone_learning_rate weight_decay warmup_steps gradient_clip random_shift keep_checkpoints "
    "data_workers seed".split()
)
BELOW_ONE = "ema_decay validation_fraction colour_jitter".split()


def check_config(config: TrainConfig[Any]) -> None:
    """Refuse numbers that make no sense.

    Raises:
        UsageError: One is out of range.
    """
    ranges = [(name, 1, None) for name in AT_LEAST_ONE] + [(name, 0, None) for name in NOT_NEGATIVE]
    for name, low, high in [*ranges, *((name, 0, 1) for name in BELOW_ONE)]:
        value = getattr(config, name)
        if value is not None and not (value >= low and (high is None or value < high)):
            expected = f"at least {low}" if high is None else f"from {low} to below {high}"
            raise UsageError(f"--{name.replace('_', '-')} {value}: expected {expected}.")
    if config.adapt and config.finetune:
        raise UsageError("--adapt and --finetune both say where to begin: give one of them.")
    if config.fresh_interpreter and not (config.adapt or config.finetune):
        raise UsageError("--fresh-interpreter goes with --adapt or --finetune; without them everything begins afresh.")
    for name, choices in CHOICES.items():
        value = getattr(config, name)
        if value not in choices:
            raise UsageError(f"--{name.replace('_', '-')} {value}: expected one of {', '.join(choices)}.")


def check_inputs(inputs: PolicyInputs, table: EpisodeTable, config: TrainConfig[Any]) -> None:
    """Refuse a policy that looks at something the data does not have.

    Raises:
        UsageError: A camera is missing, or object poses that agree, or the images are not of one kind.
    """
    if inputs.cameras:
        _check_images(table, named=bool(getattr(config.model, "cameras", ())))
    there, wanted, data = table.spec.cameras, inputs.cameras, " ".join(map(str, config.data))
    missing = [camera for camera in wanted if camera not in there]
    if missing or not (wanted or there or inputs.objects):
        needs = f"the cameras {', '.join(missing)}" if missing else "images"
        has = f"the cameras {', '.join(there)}" if there else "no camera: it holds states only"
        lacking = {
            path: spec for path, spec in table.specs.items() if not (wanted and set(wanted) <= set(spec.cameras))
        }
        raise UsageError(
            f"--policy {config.policy} needs {needs}, and {data} has {has}. Render them with "
            f"{rendering_commands(lacking, wanted)}, or train a policy that needs them not."
        )
    if inputs.objects and not table.spec.object_names:
        raise UsageError(
            f"--policy {config.policy} looks at object poses, and the tasks of {data} do not have the "
            "same objects. Train on one of them, or on images."
        )


def refuse_without_images(tables: Sequence[EpisodeTable], config: TrainConfig[Any], reason: str) -> None:
    """Say how to have the images that are missing.

    Raises:
        UsageError: There are datasets without images, or those of a robot have no camera in common.
    """
    lacking = {path: spec for table in tables for path, spec in table.specs.items() if not spec.cameras}
    if lacking:
        raise UsageError(f"{reason} Render them with {rendering_commands(lacking)}, and train on what that writes.")
    for table in tables:
        _check_images(table, named=bool(getattr(config.model, "cameras", ())))


def check_named_cameras(tables: Sequence[EpisodeTable], config: TrainConfig[Any]) -> None:
    """Refuse names of cameras that no robot's data have.

    Raises:
        UsageError: There is one.
    """
    there = dict.fromkeys(camera for table in tables for camera in table.spec.cameras)
    unknown = [camera for camera in getattr(config.model, "cameras", ()) if camera not in there]
    if unknown:
        raise UsageError(
            f"--cameras {' '.join(config.model.cameras)}: no data have images of {', '.join(unknown)}. There are "
            f"{', '.join(there)}."
        )


def _check_images(table: EpisodeTable, *, named: bool) -> None:
    """Refuse datasets whose images differ, but for cameras that nobody asked for by name."""
    (first_path, first), *others = table.specs.items()
    for path, spec in others:
        if spec.render_quality != first.render_quality:
            raise UsageError(
                f"The images of {path} are of render quality {spec.render_quality}, those of {first_path} of "
                f"{first.render_quality}. Render one of them again with render-episodes --render-quality."
            )
        if set(spec.cameras) != set(first.cameras) and not named:
            raise UsageError(
                f"{path} has images of {', '.join(spec.cameras) or 'no camera'}, {first_path} of "
                f"{', '.join(first.cameras) or 'no camera'}. Say which to look at, --cameras "
                f"{' '.join(table.spec.cameras)}, or render the others with render-episodes --cameras."
            )


# FOLDED policies.training.rendering_advice: The commands that make the images that a policy needs.

VIEWS: Mapping[str, tuple[str, tuple[int, int]]] = {
    "aloha": ("top", (120, 160)),
    "libero": ("agentview", (128, 128)),
}
"""Task family -> the camera to begin with, and a size that is quick to learn from, height and width [px]."""


def rendering_commands(specs: Mapping[Path, EnvSpec], cameras: Iterable[str] = ()) -> str:
    """A command for each dataset, as it can be typed; of many, the first.

    Args:
        specs: By dataset.
        cameras: Those to render; none for that of the family.
    """
    return first_few([f"`{_command(path, spec, tuple(cameras))}`" for path, spec in specs.items()])


def _command(path: Path, spec: EnvSpec, cameras: tuple[str, ...]) -> str:
    camera, size = VIEWS[spec.family]
    size_flags = [] if spec.cameras else ["--image-size", *map(str, size)]  # else the size is that of the dataset
    words = ["render-episodes", str(path), "--cameras", *(cameras or (camera,)), *size_flags]
    return shlex.join([*words, "--output-dir", f"{path}_images"])


# FOLDED policies.training.schedule_warnings: What changes over a training and will not be over within its steps.


def schedule_warnings(plan: TrainPlan) -> list[str]:
    """A sentence for each schedule that is longer than the run, with the flag that shortens it."""
    steps, rising = plan.config.steps, plan.config.warmup_steps
    warmup = f"The learning rate rises over {rising} steps, and this run has {steps}: --warmup-steps {steps // 10}."
    return [*([warmup] if rising >= steps else []), *plan.policy.schedule_warnings(steps)]


# FOLDED policies.training.run_advice: What to do about a run that cannot go on, in words.


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
    return policy_class(policy).init_from is not Policy.init_from
