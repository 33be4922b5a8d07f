"""Initial states of libero_goal in the format of LIBERO's files."""

import numpy as np

from ambidex.envs.env import Environment, make


def goal_states(count: int, env: Environment | None = None) -> np.ndarray:
    """Rows of time (0), qpos and qvel (0) of seeds 0, 1, ..., shape (count, 79)."""
    env = env or make("libero_goal/1", cameras=())
    rows = np.zeros((count, 79))
    for seed, row in enumerate(rows):
        env.reset(seed)
        row[1:42] = env.scene.data.qpos
    return rows


def rows_with_the_stove_on_in(index: int, count: int = 2) -> np.ndarray:
    """Rows in one of which the goal of libero_goal/7 holds."""
    env = make("libero_goal/7", cameras=())
    rows = goal_states(count, env)
    rows[index, 1 + env.scene.model.joint("flat_stove_1_button").qposadr[0]] = 1.0
    return rows
