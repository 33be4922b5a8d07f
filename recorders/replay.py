"""Replays the actions of an episode through the simulator."""

import numpy as np

from ambidex.envs.env import Environment
from ambidex.envs.types import Float32Array, FloatArray


def replay(env: Environment, first_state: FloatArray, actions: Float32Array) -> tuple[FloatArray, bool]:
    """Act from a stored state.

    Args:
        env: Where; its control mode is that of the actions.
        first_state: Shape (S,).
        actions: Shape (T, A) float32.

    Returns:
        States (T+1, S), and whether success held at the last step, which is what makes a rollout a success.
    """
    states, success = [env.restore(first_state).state], False
    for action in actions:
        step = env.step(action)
        states.append(step.observation.state)
        success = step.success
    return np.stack(states), success
