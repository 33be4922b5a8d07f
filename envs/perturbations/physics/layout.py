"""Objects outside of the range that their initial positions are drawn from."""

import math

import mujoco
import numpy as np

from ambidex.envs.perturbations.perturbation import Clean, Drawn, Perturbation
from ambidex.envs.perturbations.physics.footprint import TABLE, colliding_geoms, footprints, table_area
from ambidex.envs.simulation.pose import Pose, quaternion_about, quaternion_product
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import UniformPose
from ambidex.envs.types import FloatArray
from ambidex.errors import EpisodeStartError, PerturbationError

ATTEMPTS = 50  # directions that are tried for each object
GAP = 0.03  # between an object that is moved and others [m]
EDGE = 0.02  # of the table that is kept free [m]
POINT = 1e-6  # half length of a range that has no extent [m]
UP = (0.0, 0.0, 1.0)


class Layout(Perturbation):
    """Each object that stands on the table by itself is on the edge of a range some times as large as the usual one.

    It is moved from the centre of its range through its usual position, so higher levels move it further. Where it
    would leave the table or be too close to something at any level, it is moved in another direction, which is drawn;
    where no direction is free, it stays. From level 3 on it is also turned.
    """

    strengths = ((1.2, 0), (1.4, 0), (1.6, 1), (1.8, 1), (2.0, 1))  # times the range; share of the drawn yaw

    def __init__(self, clean: Clean, level: int) -> None:
        ranges = clean.task.initial_ranges(clean.spec.spread)
        self._ranges = {
            name: wide for name, given in ranges.items() if (wide := [r for r in given if _half(r) > POINT])
        }
        super().__init__(clean, level)
        model = clean.scene.model
        self._geoms = {name: colliding_geoms(model, [name]) for name in self._ranges}
        solid = (model.geom_contype != 0) & (model.geom_type != mujoco.mjtGeom.mjGEOM_PLANE.value)
        solid[model.geom(TABLE).id] = False
        self._others = {name: np.setdiff1d(np.flatnonzero(solid), geoms) for name, geoms in self._geoms.items()}

    def check(self) -> None:
        if not self._ranges:
            problem = f"Perturbation layout: no object of {self.clean.spec.task} is placed on the table in a range."
            raise PerturbationError(problem, "Leave the axis out.", task=self.clean.spec.task)

    def draw(self, rng: np.random.Generator) -> Drawn:
        self._directions = {name: rng.uniform(-1.0, 1.0, (ATTEMPTS, 2)) for name in self._ranges}
        self._yaws = {name: rng.uniform(-math.pi, math.pi) for name in self._ranges}
        return {"range_factor": self.strength[0]}

    def change_initial_state(self, scene: Scene) -> Drawn:
        self._starts = {name: scene.body_pose(name) for name in self._ranges}
        self._boxes, self._area = {name: self._box(name) for name in self._ranges}, table_area(scene)
        found: dict[str, FloatArray] = {}
        for name in self._ranges:
            if (direction := self._free_direction(scene, name, found)) is not None:
                found[name] = direction
        if not found:
            problem = "Perturbation layout: no object can be moved out of its range."
            raise EpisodeStartError(problem, task=self.clean.spec.task)
        self._place(scene, found, self.strength)
        scene.refresh()
        return {name: value for body in self._ranges for name, value in self._done(scene, body, body in found).items()}

    def _free_direction(self, scene: Scene, name: str, found: dict[str, FloatArray]) -> FloatArray | None:
        """The first direction in which the object is free at all levels, given those of the objects before it."""
        own = self._offset(name, self._starts[name])
        for direction in (own, *self._directions[name]):
            moved = {**found, name: direction}
            # The furthest place is the most likely not to be free.
            if all(self._is_free(scene, name, moved, strength) for strength in reversed(self.strengths)):
                return np.asarray(direction)
        self._place(scene, found, self.strength)
        scene.place(name, self._starts[name])
        return None

    def _place(self, scene: Scene, directions: dict[str, FloatArray], strength: tuple[float, ...]) -> None:
        factor, turned = strength
        for name, direction in directions.items():
            start, (centre, half) = self._starts[name], self._boxes[name]
            along = direction * (half > POINT)
            xy = centre + factor * half * along / np.abs(along).max()
            turn = quaternion_about(UP, turned * self._yaws[name])
            scene.place(name, Pose.at((*xy, start.position[2]), quaternion_product(turn, start.quaternion)))
        mujoco.mj_kinematics(scene.model, scene.data)

    def _is_free(self, scene: Scene, name: str, directions: dict[str, FloatArray], strength: tuple[float, ...]) -> bool:
        """Whether an object is on the table, with a gap to all others, after objects are moved in these directions."""
        self._place(scene, directions, strength)
        model, data, own, others = scene.model, scene.data, self._geoms[name], self._others[name]
        area, covered = self._area, footprints(model, data, own)
        if (covered[:, :2] < area[:2] + EDGE).any() or (covered[:, 2:] > area[2:] - EDGE).any():
            return False
        apart = np.linalg.norm(data.geom_xpos[own][:, None] - data.geom_xpos[others], axis=-1)
        near = apart < model.geom_rbound[own][:, None] + model.geom_rbound[others] + GAP
        return all(
            mujoco.mj_geomDistance(model, data, own[i], others[j], GAP, None) >= GAP for i, j in np.argwhere(near)
        )

    def _offset(self, name: str, pose: Pose) -> FloatArray:
        """From the centre of the object's range, in its half lengths, shape (2,)."""
        centre, half = self._boxes[name]
        return (pose.position[:2] - centre) / np.maximum(half, POINT) * (half > POINT)

    def _box(self, name: str) -> tuple[FloatArray, FloatArray]:
        """Centre and half lengths (2,) [m] of the range that the object's usual position is from."""
        start = self._starts[name].position[:2]
        boxes = [(np.add(r.low, r.high)[:2] / 2, np.subtract(r.high, r.low)[:2] / 2) for r in self._ranges[name]]
        return min(boxes, key=lambda box: float(np.linalg.norm(np.maximum(0.0, np.abs(start - box[0]) - box[1]))))

    def _done(self, scene: Scene, name: str, moved: bool) -> Drawn:
        offset = float(np.abs(self._offset(name, scene.body_pose(name))).max())
        yaw = math.degrees(self.strength[1] * self._yaws[name]) if moved else 0.0
        return {f"{name}_factor": offset, f"{name}_yaw_deg": yaw}


def _half(given: UniformPose) -> float:
    return float(np.subtract(given.high, given.low)[:2].max()) / 2
