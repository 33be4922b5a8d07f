"""What can be refused before any work is done."""

from collections.abc import Sequence
from typing import Any

from ambidex.errors import UsageError
from ambidex.policies.policy_inputs import PolicyInputs
from ambidex.policies.training.device import PRECISIONS
from ambidex.policies.training.rendering_advice import rendering_commands
from ambidex.policies.training.train_config import TrainConfig
from ambidex.policies.training_data.episode_table import EpisodeTable
from ambidex.policies.training_data.frame_home import DATA_PATHS

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
