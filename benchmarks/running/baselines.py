"""Agents that know nothing: what a benchmark's numbers are to be compared with."""

import numpy as np

from ambidex.envs.controllers.ee_pose import EePose
from ambidex.envs.env import Environment
from ambidex.envs.types import Float32Array, Observation

CHANGE_EVERY_S = 0.5  # how long a random goal is held [s]


class RandomAgent:
    """Goes to a random action within the controller's limits, and to another one after half a second.

    Args:
        env: Where it will act.
    """

    def __init__(self, env: Environment) -> None:
        self._low, self._high = env.controller.low, env.controller.high
        self._hold = max(1, round(CHANGE_EVERY_S * env.spec.control_hz))

    def reset(self, observation: Observation, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._step = 0

    def act(self, observation: Observation) -> Float32Array:
        if self._step % self._hold == 0:
            self._goal = self._rng.uniform(self._low, self._high).astype(np.float32)
        self._step += 1
        return self._goal


class HoldAgent:
    """Stays where it began.

    Args:
        env: Where it will act.
    """

    def __init__(self, env: Environment) -> None:
        self._to_ee = EePose(env.scene, env.spec.control_hz) if env.spec.control == "ee" else None

    def reset(self, observation: Observation, seed: int) -> None:
        here = observation.qpos.astype(np.float32)
        self._action = here if self._to_ee is None else self._to_ee.from_joint_action(here)

    def act(self, observation: Observation) -> Float32Array:
        return self._action
