"""Checks before a training starts, and the hints of their errors."""

import math
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ambidex.envs.types import EnvSpec
from ambidex.errors import UsageError
from ambidex.policies.data.episode_table import EpisodeTable
from ambidex.policies.data.frame_sources import DATA_PATHS
from ambidex.policies.messages import PolicyInputs
from ambidex.policies.run_folder import checkpoint_path, resumable_step, resumable_steps
from ambidex.policies.training.config import TrainConfig
from ambidex.policies.training.distributed import FSDP, PRECISIONS, SHARDINGS, Ranks
from ambidex.policies.training.plan import TrainPlan
from ambidex.text import first_few

CHOICES = {
    "schedule": ("cosine", "constant"),
    "precision": PRECISIONS,
    "data_path": DATA_PATHS,
    "sharding": SHARDINGS,
}
AT_LEAST_ONE = "steps batch_size accumulate_steps validate_every save_every log_every".split()
NOT_NEGATIVE = (
    "learning_rate backbone_learning_rate weight_decay warmup_steps gradient_clip random_shift keep_checkpoints "
    "data_workers seed".split()
)
BELOW_ONE = "ema_decay validation_fraction colour_jitter".split()
DEFAULT_VIEWS: Mapping[str, tuple[str, tuple[int, int]]] = {
    "aloha": ("top", (120, 160)),
    "libero": ("agentview", (128, 128)),
}
"""Task family -> the camera to suggest, and an image size that trains quickly, height and width [px]."""


def check_config(config: TrainConfig[Any]) -> None:
    """Check ranges and choices, and flags that exclude each other.

    Raises:
        UsageError: A value is out of range, or flags do not go together.
    """
    ranges = [(name, 1, math.inf) for name in AT_LEAST_ONE] + [(name, 0, math.inf) for name in NOT_NEGATIVE]
    for name, low, high in [*ranges, *((name, 0, 1) for name in BELOW_ONE)]:
        value = getattr(config, name)
        if value is not None and not low <= value < high:
            unbounded = f"at least {low}" if value < low else "a finite number"
            raise _bad_value(config, name, unbounded if high == math.inf else f"from {low} to below {high}")
    if config.adapt and config.finetune:
        raise UsageError("--adapt and --finetune both name a checkpoint to start from.", "Give one of them.")
    if config.fresh_interpreter and not (config.adapt or config.finetune):
        raise UsageError("--fresh-interpreter requires --adapt or --finetune.", "Leave it out.")
    for name, choices in CHOICES.items():
        if getattr(config, name) not in choices:
            raise _bad_value(config, name, f"one of {', '.join(choices)}")


def check_sharding(config: TrainConfig[Any], ranks: Ranks) -> None:
    """Check that there are several processes to divide a model over, and that it is not to be compiled.

    Raises:
        UsageError: It cannot be sharded.
    """
    if config.sharding != FSDP:
        return
    if ranks.alone:
        hint = (
            "Start several with `torchrun --nproc-per-node GPUS -m ambidex.policies.train_policy ...`, or leave it out."
        )
        raise UsageError("--sharding fsdp: there is one process only.", hint, field="sharding")
    if config.compile:
        raise UsageError("--sharding fsdp and --compile do not go together.", "Leave one of them out.", field="compile")


def _bad_value(config: TrainConfig[Any], name: str, expected: str) -> UsageError:
    value = getattr(config, name)
    problem = f"--{name.replace('_', '-')} {value}: expected {expected}."
    return UsageError(problem, field=name, got=value, expected=expected)


def check_inputs(inputs: PolicyInputs, table: EpisodeTable, config: TrainConfig[Any]) -> None:
    """Check that the data of an embodiment has everything that the policy uses.

    Raises:
        UsageError: Cameras or object poses are missing, images differ between datasets, or no episode is so long as the
            window of observations.
    """
    _check_window(inputs, table, config)
    if inputs.cameras:
        _check_images(table, config)
    available, needed, data = table.spec.cameras, inputs.cameras, " ".join(map(str, config.data))
    missing = [camera for camera in needed if camera not in available]
    if missing or not (needed or available or inputs.objects):
        needs = f"the cameras {', '.join(missing)}" if missing else "images"
        has = f"has the cameras {', '.join(available)}" if available else "has no camera: it holds states only"
        lacking = {
            path: spec for path, spec in table.specs.items() if not (needed and set(needed) <= set(spec.cameras))
        }
        problem = f"--policy {config.policy} needs {needs}, but {data} {has}."
        hint = f"Render them with {rendering_commands(lacking, needed)}, or train a policy that does not need them."
        raise UsageError(problem, hint, field="cameras", got=available, expected=needed)
    if inputs.objects and not table.spec.object_names:
        without = [str(path) for path, spec in table.specs.items() if not spec.object_names]
        reason = f"{first_few(without)} has none" if without else f"the tasks of {data} do not have the same objects"
        hint = "Train on images." if without else "Train on one of them, or on images."
        raise UsageError(f"--policy {config.policy} uses object poses, but {reason}.", hint, field="object_names")


def _check_window(inputs: PolicyInputs, table: EpisodeTable, config: TrainConfig[Any]) -> None:
    span, longest = inputs.offsets[0] + 1, max(entry.steps for entry in table.entries)
    if span > longest:
        problem = (
            f"--policy {config.policy} looks at {inputs.history} observations {inputs.stride} steps apart, a window of "
            f"{span} steps, but the longest episode has {longest}."
        )
        raise UsageError(problem, "Give a shorter history or stride.", field="history", got=span, expected=longest)


def raise_missing_images(tables: Sequence[EpisodeTable], config: TrainConfig[Any], problem: str) -> None:
    """Explain how to render the images that a policy lacks.

    Raises:
        UsageError: There are datasets without images, or those of an embodiment have no camera in common.
    """
    lacking = {path: spec for table in tables for path, spec in table.specs.items() if not spec.cameras}
    if lacking:
        hint = f"Render them with {rendering_commands(lacking)}, and train on what that writes."
        raise UsageError(problem, hint, field="cameras", got=tuple(lacking))
    for table in tables:
        _check_images(table, config)


def check_named_cameras(tables: Sequence[EpisodeTable], config: TrainConfig[Any]) -> None:
    """Check that every camera of the policy's settings exists in some embodiment's data.

    Raises:
        UsageError: A camera does not exist.
    """
    available = dict.fromkeys(camera for table in tables for camera in table.spec.cameras)
    unknown = [camera for camera in _named_cameras(config) if camera not in available]
    if unknown:
        problem = f"--cameras {' '.join(config.model.cameras)}: no dataset has images of {', '.join(unknown)}."
        hint = f"Choose from {', '.join(available)}."
        raise UsageError(problem, hint, field="cameras", got=unknown, expected=tuple(available))


def _check_images(table: EpisodeTable, config: TrainConfig[Any]) -> None:
    """Refuse datasets whose images differ in quality or, unless cameras are named, in cameras."""
    (first_path, first), *others = table.specs.items()
    for path, spec in others:
        if spec.render_quality != first.render_quality:
            qualities = f"{spec.render_quality} quality, those of {first_path} {first.render_quality} quality"
            hint = "Render one of them again with render-episodes --render-quality."
            raise UsageError(f"The images of {path} have {qualities}.", hint, field="render_quality", path=path)
        if set(spec.cameras) != set(first.cameras) and not _named_cameras(config):
            own, theirs = (", ".join(each.cameras) or "no camera" for each in (spec, first))
            problem = f"{path} has images of {own}, {first_path} of {theirs}."
            hint = f"Use --cameras {' '.join(table.spec.cameras)}, or render the others with render-episodes --cameras."
            raise UsageError(problem, hint, field="cameras", path=path)


def _named_cameras(config: TrainConfig[Any]) -> tuple[str, ...]:
    return getattr(config.model, "cameras", ())


def rendering_commands(specs: Mapping[Path, EnvSpec], cameras: Iterable[str] = ()) -> str:
    """The command that renders each dataset, as it can be typed; only the first of many.

    Without names of cameras the one in `DEFAULT_VIEWS` is rendered.
    """
    return first_few([f"`{_rendering_command(path, spec, tuple(cameras))}`" for path, spec in specs.items()])


def _rendering_command(path: Path, spec: EnvSpec, cameras: tuple[str, ...]) -> str:
    camera, size = DEFAULT_VIEWS.get(spec.family, ("top", (120, 160)))
    size_flags = [] if spec.cameras else ["--image-size", *map(str, size)]  # else the size is that of the dataset
    words = ["render-episodes", str(path), "--cameras", *(cameras or (camera,)), *size_flags]
    return shlex.join([*words, "--output-dir", f"{path}_images"])


def schedule_warnings(plan: TrainPlan) -> list[str]:
    """A sentence for each schedule that is longer than the run, with the flag that shortens it."""
    steps, warmup = plan.config.steps, plan.config.warmup_steps
    warning = (
        f"The learning rate rises over {warmup} steps, and this run has {steps}: give --warmup-steps {steps // 10}."
    )
    return [*([warning] if warmup >= steps else []), *plan.policy.schedule_warnings(steps)]


def chunk_warnings(plan: TrainPlan) -> list[str]:
    """A sentence if no episode is as long as a chunk, so that all chunks are padded."""
    chunk, longest = plan.policy.chunk_size, max(entry.steps for each in plan.data for entry in each.table.entries)
    if chunk <= longest:
        return []
    return [f"A chunk has {chunk} actions, more than any episode (at most {longest}): --chunk-size {longest} or less."]


def hint_after_damage(run: Path, step: int) -> str:
    """What to do if the training state of a step is damaged."""
    folder, others = checkpoint_path(run, step), [other for other in resumable_steps(run) if other != step]
    result = f"resumes from step {max(others)}" if others else "restarts from step 1"
    keep = f" To keep its weights, start another run: --finetune {shlex.quote(str(folder))}."
    return f"Move the folder {folder} away and give the same command, which then {result}.{keep}"


def hint_after_changes(
    run: Path, old: TrainConfig[Any], new: TrainConfig[Any], flags: Sequence[str], facts: Collection[str]
) -> str:
    """What to do if --resume is given, and flags or the facts "data" and "ranks" differ from those of the run."""
    longer = old.schedule == "cosine" and new.steps > old.steps
    if longer and resumable_step(run) == old.steps and len(flags) == 1 and not facts:
        return _hint_for_more_steps(run, old, new)
    hints = [
        "Leave out the flags that differ, or train in another --output-dir." if flags else "",
        _hint_for_more_steps(run, old, new) if longer else "",
        "Start as many processes as before." if "ranks" in facts else "",
        _hint_for_other_data(run, new) if "data" in facts else "",
    ]
    return " ".join(filter(None, hints))


def check_data_is_there(config: TrainConfig[Any], run: Path) -> None:
    """Refuse to resume a run whose data is no longer where it was.

    Raises:
        UsageError: A folder of its data does not exist.
    """
    gone = [path for path in config.data if not path.exists()]
    if gone:
        problem = f"--resume: {run} was trained on {gone[0]}, and there is no such folder."
        command = shlex.join(["train-policy", "--resume", "--output-dir", str(run), "--data"])
        raise UsageError(problem, f"If it was moved, name the new folder: {command} FOLDER", path=gone[0], run=run)


def _hint_for_more_steps(run: Path, old: TrainConfig[Any], new: TrainConfig[Any]) -> str:
    reason = f"The cosine schedule of the run ends at step {old.steps}, so it cannot be resumed beyond it."
    return f"{reason} Start another run from its weights: `{_finetuning(run, new, new.steps - old.steps, 'longer')}`."


def _hint_for_other_data(run: Path, new: TrainConfig[Any]) -> str:
    return (
        "To resume it, leave the new episodes out with --exclude-episodes, or restore the others. To train on the data "
        f"as it is now, start another run from its weights: `{_finetuning(run, new, new.steps, 'other-data')}`."
    )


def _finetuning(run: Path, config: TrainConfig[Any], steps: int, suffix: str) -> str:
    words = ["train-policy", "--policy", config.policy, "--preset", config.preset, "--finetune", str(run), "--data"]
    words += map(str, config.data)
    words += ["--control", config.control] if config.control else []
    words += ["--exclude-episodes", *map(str, config.exclude_episodes)] if config.exclude_episodes else []
    return shlex.join([*words, "--steps", str(steps), "--output-dir", f"{run}-{suffix}"])
