"""Cameras of the scene moved around the point that they look at."""

import math

import mujoco
import numpy as np

from ambidex.envs.perturbations.perturbation import Clean, Drawn, Level, Perturbation
from ambidex.envs.simulation.pose import Pose, quaternion_about, quaternion_of, quaternion_product
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import FloatArray
from ambidex.errors import PerturbationError

LOWEST = math.radians(10.0)  # elevation of a camera that looks down [rad]
CLEARANCE = 0.05  # of a camera above the table [m]
MOUNT_DISTANCE = 0.1  # largest distance to a camera of what it is mounted on [m]
HIDDEN_GROUP = 3  # of geoms, which renderers leave out
NO_TARGET_DISTANCE = 1.0  # of the point that a camera looks at, if it does not look at the table [m]


class SceneCameras(Perturbation):
    """Azimuth, elevation and distance of all cameras that no robot carries.

    The strongest level has the extremes of LIBERO-plus (arXiv 2510.13626). The elevation that is drawn is limited: a
    camera that looks down stays 10 degrees above its target. What cameras are mounted on is hidden, as it would stay
    behind and be in front of them.
    """

    # azimuth [degrees], elevation [degrees], share of the distance
    strengths = ((5, 2, 0.05), (10, 4, 0.1), (20, 8, 0.25), (40, 12, 0.5), (75, 15, 1.0))
    model_fields = ("cam_pos", "cam_quat", "geom_group")

    def __init__(self, clean: Clean, level: Level) -> None:
        self._cameras, self._table = scene_cameras(clean.scene), table_height(clean.scene)
        self._mounts = _mounts(clean.scene, [pose.position for _, pose, _ in self._cameras.values()])
        super().__init__(clean, level)

    def check(self) -> None:
        if not self._cameras:
            raise PerturbationError(f"Perturbation camera: {self.clean.spec.task} has no camera in the scene.")

    def cameras(self) -> frozenset[str]:
        return frozenset(self.clean.scene.model.camera(camera).name for camera in self._cameras)

    def draw(self, rng: np.random.Generator) -> Drawn:
        azimuth, elevation, distance = self.strength
        self._azimuth = math.radians(azimuth) * rng.uniform(-1.0, 1.0)
        self._elevation = math.radians(elevation) * rng.uniform(-1.0, 1.0)
        self._distance = 1.0 + distance * rng.uniform()
        return {
            "azimuth_deg": math.degrees(self._azimuth),
            "elevation_deg": math.degrees(self._elevation),
            "distance_factor": self._distance,
        }

    def change_model(self, model: mujoco.MjModel) -> None:
        for camera, (parent, pose, target) in self._cameras.items():
            moved = parent.inverse() @ self._moved(pose, target)
            model.cam_pos[camera], model.cam_quat[camera] = moved.position, moved.quaternion
        model.geom_group[self._mounts] = HIDDEN_GROUP

    def _moved(self, pose: Pose, target: FloatArray) -> Pose:
        offset = pose.position - target
        now = math.asin(np.clip(offset[2] / np.linalg.norm(offset), -1.0, 1.0))
        lowest = min(now, LOWEST)
        up = min(max(self._elevation, lowest - now), math.pi / 2 - now)  # over the top it would stand on its head
        # A camera that rises turns about its own x axis, which is horizontal and points to the right of its image.
        turn = quaternion_product(quaternion_about((0, 0, 1), self._azimuth), quaternion_about(pose.axis(0), -up))
        # One that looks up from below its target must not end below the table, if it did not begin there.
        room = (target[2] - min(pose.position[2], self._table + CLEARANCE)) / -offset[2] if offset[2] < 0 else math.inf
        return Pose.at(target, turn) @ Pose(min(self._distance, room) * offset, pose.quaternion)


def scene_cameras(scene: Scene) -> dict[int, tuple[Pose, Pose, FloatArray]]:
    """Index of each camera that stands still -> pose of its body, its pose, and the point (3,) that it looks at."""
    model, data = scene.model, scene.data
    standing = [i for i in range(model.ncam) if model.body_weldid[model.cam_bodyid[i]] == 0]
    height = table_height(scene)
    found = {}
    for camera in standing:
        body = int(model.cam_bodyid[camera])
        pose = Pose(data.cam_xpos[camera].copy(), quaternion_of(data.cam_xmat[camera]))
        found[camera] = (Pose(data.xpos[body].copy(), data.xquat[body].copy()), pose, _target(pose, height))
    return found


def table_height(scene: Scene) -> float:
    """Height of the table's top [m]."""
    return float(scene.data.geom("table").xpos[2] + scene.model.geom("table").size[2])


def _target(pose: Pose, height: float) -> FloatArray:
    """Where the optical axis meets the plane of the table, or a point on it if it does not."""
    direction = -pose.axis(2)
    drop = pose.position[2] - height
    away = drop / -direction[2] if direction[2] < 0 < drop else NO_TARGET_DISTANCE
    return np.asarray(pose.position + away * direction)


def _mounts(scene: Scene, cameras: list[FloatArray]) -> list[int]:
    """Standing geoms without collisions that are close to a camera, given the positions (3,) of all.

    What a camera is inside of, such as a room, is none.
    """
    model, data = scene.model, scene.data
    standing = [
        i for i in range(model.ngeom) if not model.geom_contype[i] and not model.body_weldid[model.geom_bodyid[i]]
    ]

    def distance(geom: int, point: FloatArray) -> float:
        middle, half = np.split(model.geom_aabb[geom], 2)
        inside = data.geom_xmat[geom].reshape(3, 3).T @ (point - data.geom_xpos[geom]) - middle
        return float(np.linalg.norm(np.maximum(np.abs(inside) - half, 0.0)))

    return [geom for geom in standing if any(0.0 < distance(geom, point) < MOUNT_DISTANCE for point in cameras)]
