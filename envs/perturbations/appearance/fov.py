"""The field of view of all cameras."""

import mujoco
import numpy as np

from ambidex.envs.perturbations.perturbation import Drawn, Perturbation


class FieldOfView(Perturbation):
    """A wider or narrower vertical field of view, by the same angle for all cameras."""

    strengths = ((1,), (2,), (4,), (7,), (10,))  # [degrees]
    model_fields = ("cam_fovy",)

    def cameras(self) -> frozenset[str]:
        return frozenset(self.clean.scene.camera_names)

    def draw(self, rng: np.random.Generator) -> Drawn:
        (angle,) = self.strength
        self._change = float(angle * rng.choice((-1.0, 1.0)))
        return {"fovy_deg": self._change}

    def change_model(self, model: mujoco.MjModel) -> None:
        model.cam_fovy[:] += self._change
