"""The lights: their intensity, direction and colour."""

import colorsys
import math

import mujoco
import numpy as np

from ambidex.envs.perturbations.perturbation import Drawn, Perturbation
from ambidex.envs.simulation.pose import quaternion_about

HEADLIGHT = ("vis.headlight.diffuse", "vis.headlight.ambient")


class Light(Perturbation):
    """Darker or brighter lights from another direction and of another colour; ambient light changes alike.

    All lights have the same draw. Shadows are those of the render quality: only "studio" has them.
    """

    # lowest factor of the intensity, angle of the direction [degrees], share of the other colour
    strengths = ((0.85, 10, 0.1), (0.7, 20, 0.2), (0.55, 35, 0.35), (0.4, 50, 0.5), (0.3, 70, 0.7))
    model_fields = ("light_diffuse", "light_dir", *HEADLIGHT)

    def cameras(self) -> frozenset[str]:
        return frozenset(self.clean.scene.camera_names)

    def draw(self, rng: np.random.Generator) -> Drawn:
        factor, angle, share = self.strength
        self._factor = float(factor ** rng.choice((-1.0, 1.0)))
        self._angle, self._around = math.radians(angle), rng.uniform(0.0, 2.0 * math.pi)
        self._share, hue = share, rng.uniform()
        self._colour = np.array(colorsys.hsv_to_rgb(hue, 1.0, 1.0))
        return {
            "intensity_factor": self._factor,
            "direction_deg": angle,
            "around_deg": math.degrees(self._around),
            "hue_deg": 360.0 * hue,
            "colour_share": share,
        }

    def change_model(self, model: mujoco.MjModel) -> None:
        # A colour of the same brightness: its channels add up to 3.
        tint = (1.0 - self._share) + self._share * 3.0 * self._colour / self._colour.sum()
        model.light_diffuse[:] *= self._factor * tint
        model.vis.headlight.diffuse[:] *= self._factor * tint
        model.vis.headlight.ambient[:] *= self._factor * tint
        for light in range(model.nlight):
            model.light_dir[light] = self._turned(model.light_dir[light].copy())

    def _turned(self, direction: np.ndarray[tuple[int], np.dtype[np.float64]]) -> object:
        """The direction on a cone around the given one, and never from below."""
        across = np.cross(direction, (1.0, 0.0, 0.0) if abs(direction[0]) < 0.9 else (0.0, 1.0, 0.0))
        axis, turned = np.empty(3), np.empty(3)
        mujoco.mju_rotVecQuat(axis, across / np.linalg.norm(across), quaternion_about(direction, self._around))
        mujoco.mju_rotVecQuat(turned, direction, quaternion_about(axis, self._angle))
        turned[2] = min(turned[2], -0.1)
        return turned / np.linalg.norm(turned)
