"""Cameras that a robot carries, mounted a little differently."""

import math

import mujoco
import numpy as np

from ambidex.envs.perturbations.perturbation import Clean, Drawn, Perturbation, random_direction
from ambidex.envs.simulation.pose import quaternion_about, quaternion_product
from ambidex.errors import PerturbationError


class WristCameras(Perturbation):
    """Position and orientation of each moving camera in the frame of its link; every camera has draws of its own."""

    # position [m], rotation [degrees]
    strengths = ((0.002, 1), (0.004, 2), (0.006, 4), (0.008, 6), (0.010, 10))
    model_fields = ("cam_pos", "cam_quat")

    def __init__(self, clean: Clean, level: int) -> None:
        model = clean.scene.model
        carried = [i for i in range(model.ncam) if model.body_weldid[model.cam_bodyid[i]] != 0]
        self._cameras = {camera: model.camera(camera).name for camera in carried}
        super().__init__(clean, level)

    def check(self) -> None:
        if not self._cameras:
            raise PerturbationError(
                f"Perturbation wrist_camera: the robot of {self.clean.spec.task} carries no camera."
            )

    def cameras(self) -> frozenset[str]:
        return frozenset(self._cameras.values())

    def draw(self, rng: np.random.Generator) -> Drawn:
        distance, angle = self.strength
        directions = {camera: (random_direction(rng, 3), random_direction(rng, 3)) for camera in self._cameras}
        self._mounts = {
            camera: (distance * shift, math.radians(angle), axis) for camera, (shift, axis) in directions.items()
        }
        return {
            f"{self._cameras[camera]}_{name}": float(value)
            for camera, (shift, _, axis) in self._mounts.items()
            for name, value in zip(
                ("x_mm", "y_mm", "z_mm", "rx_deg", "ry_deg", "rz_deg"), (*1000 * shift, *angle * axis), strict=True
            )
        }

    def change_model(self, model: mujoco.MjModel) -> None:
        for camera, (shift, angle, axis) in self._mounts.items():
            model.cam_pos[camera] += shift
            model.cam_quat[camera] = quaternion_product(quaternion_about(axis, angle), model.cam_quat[camera])
