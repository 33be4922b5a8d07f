"""Actions that are executed late."""

from collections import deque

import numpy as np

from ambidex.envs.perturbations.perturbation import Drawn, Perturbation
from ambidex.envs.types import Float32Array

FAST = 40.0  # control rate above which a delay has more steps [Hz]


class ActionDelay(Perturbation):
    """Every action is executed some control steps after the agent has sent it; until the first one the robot holds."""

    strengths = ((1, 1), (2, 1), (3, 2), (5, 3), (8, 4))  # control steps at 50 Hz, and at 20 Hz

    def draw(self, rng: np.random.Generator) -> Drawn:
        fast, slow = self.strength
        self._delay = int(fast if self.clean.spec.control_hz > FAST else slow)
        self._waiting: deque[Float32Array] = deque()
        return {"steps": self._delay}

    def change_action(self, action: Float32Array, step: int) -> Float32Array:
        if step == 0:
            self._waiting = deque([self.clean.idle()] * self._delay)
        self._waiting.append(action)
        return self._waiting.popleft()
