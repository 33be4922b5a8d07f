"""An agent of any robot that does nothing, in an environment in which every episode succeeds."""

from dataclasses import replace

import numpy as np


class StillAgent:
    """Every episode succeeds after a few steps."""

    def __init__(self, env):
        env.spec = replace(env.spec, horizon=12)
        env.task.checks = lambda scene: {"lucky": True}
        self._action = np.zeros(len(env.spec.action_names), np.float32)

    def reset(self, observation, seed):
        pass

    def act(self, observation):
        return self._action
