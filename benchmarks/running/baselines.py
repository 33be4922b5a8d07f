"""Agents that know nothing: what a benchmark's numbers are to be compared with."""

import numpy as np

from ambidex.envs.controllers.ee_pose import EePose
from ambidex.envs.env import Environment
from ambidex.envs.registry import FAMILIES
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
        self._env = env

    def reset(self, observation: Observation, seed: int) -> None:
        spec, here = self._env.spec, observation.qpos.astype(np.float32)
        if spec.control == "joint":
            self._action = here
        elif FAMILIES[spec.family].ee_is_pose:
            self._action = EePose(self._env.scene, spec.control_hz).from_joint_action(here)
        else:
            self._action = np.zeros(len(spec.action_names), np.float32)  # no step, and the gripper as it is

    def act(self, observation: Observation) -> Float32Array:
        return self._action
