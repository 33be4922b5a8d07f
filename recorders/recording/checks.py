"""Checks what to record and fills in the defaults, before the first rollout."""

import math
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from ambidex.envs.env import make
from ambidex.envs.perturbations.registry import axes_with_levels
from ambidex.envs.registry import FAMILIES
from ambidex.envs.seeds import check_training_seeds
from ambidex.envs.simulation.opengl import choose_backend
from ambidex.envs.task import FILENAME
from ambidex.envs.tasks.libero.initial_states.state_file import read_init_states
from ambidex.envs.types import EnvSpec, make_options
from ambidex.errors import UnknownNameError, UsageError, check_name
from ambidex.output_folder import check_output_folder
from ambidex.recorders.dataset.environment import user_definition
from ambidex.recorders.dataset.info import DATASET_JSON
from ambidex.recorders.formats.registry import FORMATS, format_named
from ambidex.recorders.recording.config import RecordConfig
from ambidex.scripted_policies.registry import EXPERTS, FAMILY_EXPERTS
from ambidex.text import pluralize

VIDEOS = ("none", "first", "all")
STATES_BYTES = 1.2e6  # of an episode of 400 steps without images
RAW_SHARE = {
    "raw": 1.0,
    "lossless": 1 / 25,
    "jpeg": 1 / 15,
    "jpeg-bgr": 1 / 15,
    "h264": 1 / 300,
    "av1": 1 / 180,
}  # of an image's 3 bytes per pixel, roughly
TEXTURED = 6  # lossless images of wood and labels take so many times more
MERGED = 2  # a LIBERO file exists twice while its demonstrations are merged


@dataclass(frozen=True, kw_only=True)
class TaskPlan:
    """What to record of one task.

    Attributes:
        config: The flags for this task, with every default filled in.
        directory: The dataset's folder.
        spec: Spec of the environment.
        model_sha256: Fingerprint of its model.
        definition: Text of a user's definition; empty for a task that comes with ambidex.
        note: What the user should know before the recording; empty for nothing.
        seeds: The seeds to attempt, ascending, whatever their outcomes. Empty for those from the config's on until
            enough attempts have succeeded.
    """

    config: RecordConfig
    directory: Path
    spec: EnvSpec
    model_sha256: str
    definition: str
    note: str = ""
    seeds: tuple[int, ...] = ()


def plan_task(config: RecordConfig, directory: Path, *, expert: bool) -> TaskPlan:
    """Check the flags for one task and fill in the defaults. The environment is built here, once, and closed.

    The task of the config is not a suite. With `expert` the task's expert will act, so there has to be one.

    Raises:
        UsageError: A value is out of range, a name unknown, or the folder not empty.
        RenderingError: Images are asked for, and no OpenGL library can be loaded.
    """
    check_names(video=config.video, file_format=config.format)
    config = replace(config, perturb=axes_with_levels(config.perturb))
    _check_numbers(config)
    env = make(config.task, **make_options(replace(config, instruction_source=config.instruction_source or FILENAME)))
    env.close()
    env.check_perturbations_are_seen(env.spec.cameras, instruction=True, of="dataset")
    spec, note = env.spec, "" if config.instruction_source else env.task.instruction_note
    file_format = config.format or FAMILIES[spec.family].format
    full = replace(
        config,
        control=spec.control,
        cameras=spec.cameras,
        image_size=spec.image_size,
        format=file_format,
        storage=config.storage or format_named(file_format).default_storage,
        max_attempts=_max_attempts(config),
    )
    if expert and spec.family not in FAMILY_EXPERTS and spec.task not in EXPERTS:
        raise UnknownNameError("expert", spec.task, EXPERTS)
    check_training_seeds(full.seed, full.max_attempts or 0)
    format_named(file_format).check(spec, full.write_options)
    if full.shard is not None:
        format_named(file_format).check_mergeable()
    if full.renders:
        choose_backend()
    check_output_folder(directory, DATASET_JSON, resume=config.resume)
    return TaskPlan(
        config=full,
        directory=directory,
        spec=spec,
        model_sha256=env.scene.model_sha256,
        definition=user_definition(env),
        note=note,
    )


def check_names(*, video: str, file_format: str | None) -> None:
    """Check the names of a choice of videos and a format.

    Raises:
        UnknownNameError: With the names that exist.
    """
    check_name("choice for --video", video, VIDEOS)
    if file_format is not None:
        check_name("format", file_format, FORMATS)


def space_warning(plan: TaskPlan, episodes: int) -> str:
    """A warning if the disk may be too small for so many more episodes; else empty."""
    config = plan.config
    height, width = plan.spec.image_size
    images = len(plan.spec.cameras) * plan.spec.horizon * height * width * 3 * RAW_SHARE[str(config.storage)]
    if config.format == "libero":
        images *= MERGED * (TEXTURED if config.storage == "lossless" else 1)
    needed, free = episodes * (STATES_BYTES + images), shutil.disk_usage(plan.directory).free
    if needed <= free:
        return ""
    return (
        f"The disk may fill up: {pluralize(episodes, 'more episode')} will take about {_amount(needed)}, and "
        f"{_amount(free)} are free at {plan.directory}. If it does, nothing is lost: free some space and use --resume."
    )


def _amount(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def _max_attempts(config: RecordConfig) -> int:
    """Seeds to attempt at most: no initial state of a file is used twice unless that is asked for."""
    if config.max_attempts is not None:
        return config.max_attempts
    usual = 2 * config.num_episodes + 20
    if config.init_states is None:
        return usual
    states = len(read_init_states(config.init_states))
    if states < config.num_episodes:
        problem = (
            f"--num-episodes {config.num_episodes}: {config.init_states} holds {states} initial states, and the same "
            "one gives the same episode again."
        )
        hint = "Record fewer episodes, or allow repeats with --max-attempts."
        raise UsageError(problem, hint, got=config.num_episodes, expected=states)
    return min(usual, states)


def _check_numbers(config: RecordConfig) -> None:
    if config.num_episodes < 1:
        raise UsageError(f"--num-episodes {config.num_episodes}: expected 1 or more.")
    if config.workers is not None and config.workers < 0:
        raise UsageError(f"--workers {config.workers}: expected 1 or more, or 0 to work in this process.")
    if not (math.isfinite(config.noise) and config.noise >= 0):
        raise UsageError(f"--noise {config.noise}: expected 0 or more.")
    if not 0.0 <= config.perturb_mix <= 1.0:
        raise UsageError(f"--perturb-mix {config.perturb_mix}: expected 0 to 1.", got=config.perturb_mix)
    if config.perturb_mix < 1.0 and not config.perturb:
        problem = (
            f"--perturb-mix {config.perturb_mix}: no axis is given whose episodes are to be mixed with clean ones."
        )
        raise UsageError(problem, "Add --perturb, for example camera:3.", got=config.perturb_mix)
    if config.max_attempts is not None and config.max_attempts < config.num_episodes:
        raise UsageError(
            f"--max-attempts {config.max_attempts} is fewer than --num-episodes {config.num_episodes}, which cannot be "
            "reached even if every attempt succeeds."
        )
