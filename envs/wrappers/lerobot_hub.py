"""The tasks as vector environments in the form that LeRobot's EnvHub expects from a file `env.py`."""

from functools import partial
from typing import Any, Unpack

from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv

from ambidex.envs.registry import SUITES, tasks_named
from ambidex.envs.types import MakeOptions
from ambidex.envs.wrappers.gym_env import GymEnvironment

DEFAULT_TASKS = "aloha"


def make_env(
    n_envs: int = 1,
    use_async_envs: bool = False,
    cfg: object = None,
    *,
    tasks: str = "",
    **options: Unpack[MakeOptions],
) -> dict[str, dict[int, "VectorEnv[Any, Any, Any]"]]:
    """Make vector environments for LeRobot's evaluator. They reset within the step that ends an episode.

    Args:
        n_envs: Environments of each task.
        use_async_envs: Each in a process of its own.
        cfg: LeRobot's configuration; its `task`, if it has one, is used instead of `tasks`.
        tasks: A task or a suite; the suite aloha by default.
        options: The arguments of `ambidex.make`.

    Returns:
        Suite -> number of a task in it -> its environments. A task that is in no suite is number 0 of its own name.

    Raises:
        UsageError: No such task or suite, or an option is impossible.
    """
    asked = getattr(cfg, "task", None) or tasks or DEFAULT_TASKS
    kind = AsyncVectorEnv if use_async_envs else SyncVectorEnv
    made: dict[str, dict[int, VectorEnv[Any, Any, Any]]] = {}
    for task in tasks_named(asked):
        suite, number = _place(task)
        makers = [partial(GymEnvironment, task, render_mode="rgb_array", **options)] * n_envs
        made.setdefault(suite, {})[number] = kind(makers, autoreset_mode=AutoresetMode.SAME_STEP)
    return made


def _place(task: str) -> tuple[str, int]:
    """The suite of a task, and its number there."""
    return next(((suite, names.index(task)) for suite, names in SUITES.items() if task in names), (task, 0))
