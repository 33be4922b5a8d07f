"""Noise on the commands of the arms."""

import numpy as np

from ambidex.envs.perturbations.perturbation import Drawn, Perturbation
from ambidex.envs.registry import FAMILIES
from ambidex.envs.types import Float32Array
from ambidex.errors import PerturbationError

JOINT = "joint"


class ActionNoise(Perturbation):
    """Gaussian noise on every dimension of an action but those of grippers, at each step."""

    strengths = ((0.002, 0.02), (0.005, 0.05), (0.01, 0.1), (0.02, 0.15), (0.03, 0.2))
    """Standard deviation of joint commands [rad], and of increments [share of the largest]."""

    def check(self) -> None:
        spec = self.clean.spec
        if spec.control != JOINT and FAMILIES[spec.family].ee_is_pose:
            problem = f"Perturbation action_noise: the actions of {spec.task} under {spec.control} control are poses."
            raise PerturbationError(problem, "It needs joint commands or increments.", got=spec.control)

    def draw(self, rng: np.random.Generator) -> Drawn:
        spec = self.clean.spec
        joint, increment = self.strength
        self._deviation = joint if spec.control == JOINT else increment
        of_arms = np.array(["gripper" not in name for name in spec.action_names])
        self._noise = self._deviation * of_arms * rng.normal(size=(spec.horizon, len(of_arms)))
        return {"standard_deviation": self._deviation}

    def change_action(self, action: Float32Array, step: int) -> Float32Array:
        return np.asarray(action + self._noise[step % len(self._noise)], dtype=np.float32)
