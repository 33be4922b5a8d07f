"""Initial states of libero_goal/1 as LIBERO's files have them."""

import numpy as np

from ambidex.envs.env import Environment, make


def goal_states(count: int, env: Environment | None = None) -> np.ndarray:
    """Rows of time (0), qpos and qvel (0), shape (count, 79), of the starts of seeds 0, 1, ..."""
    env = env or make("libero_goal/1", cameras=())
    rows = np.zeros((count, 79))
    for seed, row in enumerate(rows):
        env.reset(seed)
        row[1:42] = env.scene.data.qpos
    return rows
