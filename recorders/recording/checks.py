"""Everything about a recording that can be wrong before it begins."""

import math
from collections.abc import Collection, Sequence
from dataclasses import replace

from ambidex.envs.env import make_from_spec
from ambidex.envs.registry import FAMILIES
from ambidex.envs.seeds import check_training_seeds
from ambidex.envs.simulation.opengl import choose_backend
from ambidex.envs.tasks.libero.initial.state_file import read_init_states
from ambidex.errors import UnknownNameError, UsageError
from ambidex.recorders.formats.images import STORAGES
from ambidex.recorders.formats.registry import FORMATS, format_named
from ambidex.recorders.recording.config import RecordConfig
from ambidex.scripted_policies.registry import check_control

VIDEOS = ("none", "first", "all")


def resolved(config: RecordConfig, task: str, *, expert: bool) -> RecordConfig:
    """The config for one task with every default filled in.

    Args:
        config: What to record.
        task: The task.
        expert: Its expert is to act.

    Raises:
        UsageError: A value is out of range, or a name unknown.
        RenderingError: Pixels are asked for, and no OpenGL library can be loaded.
    """
    check_names(storage=config.storage, video=config.video, file_format=config.format)
    _check_numbers(config)
    env = make_from_spec(replace(config, task=task))
    if expert:
        check_control(env.spec)
    full = replace(
        config,
        task=task,
        control=env.spec.control,
        cameras=env.spec.cameras,
        image_size=env.spec.image_size,
        format=config.format or FAMILIES[env.spec.family].format,
        max_attempts=_attempts(config),
    )
    check_training_seeds(full.seed, full.max_attempts or 0)
    format_named(str(full.format)).check(env.spec, full.layout)
    if needs_pixels(full):
        choose_backend()
    return full


def _attempts(config: RecordConfig) -> int:
    """Seeds to attempt at most: no initial state of a file is taken twice unless that is asked for."""
    if config.max_attempts is not None:
        return config.max_attempts
    usual = 2 * config.num_episodes + 20
    if config.init_states is None:
        return usual
    states = len(read_init_states(config.init_states))
    if states < config.num_episodes:
        raise UsageError(
            f"--num-episodes {config.num_episodes}: {config.init_states} holds {states} initial states, and an episode "
            "from the same one is the same again. Record fewer, or say with --max-attempts that you want repeats."
        )
    return min(usual, states)


def needs_pixels(config: RecordConfig) -> bool:
    """Whether anything will be rendered."""
    return bool(config.cameras) or config.video != "none"


def check_names(*, storage: str, video: str, file_format: str | None) -> None:
    """Refuse unknown storages, video choices and formats.

    Raises:
        UnknownNameError: With what exists.
    """
    checks: Sequence[tuple[str, str | None, Collection[str]]] = (
        ("storage", storage, STORAGES),
        ("choice for --video", video, VIDEOS),
        ("format", file_format, FORMATS),
    )
    for kind, name, known in checks:
        if name is not None and name not in known:
            raise UnknownNameError(kind, name, known)


def _check_numbers(config: RecordConfig) -> None:
    if config.num_episodes < 1:
        raise UsageError(f"--num-episodes {config.num_episodes}: expected 1 or more.")
    if config.workers is not None and config.workers < 0:
        raise UsageError(f"--workers {config.workers}: expected 1 or more, or 0 to work in this process.")
    if not (math.isfinite(config.noise) and config.noise >= 0):
        raise UsageError(f"--noise {config.noise}: expected 0 or more.")
    if config.max_attempts is not None and config.max_attempts < config.num_episodes:
        raise UsageError(
            f"--max-attempts {config.max_attempts} is fewer than --num-episodes {config.num_episodes}: even if every "
            "attempt succeeds there would be too few. Raise the one or lower the other."
        )
