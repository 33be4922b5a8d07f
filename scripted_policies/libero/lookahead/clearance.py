"""Boxes around geoms, and how high obstacles are between two points."""

from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.envs.robot import Arm
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.tasks.libero.goals.world import body_name
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.lookahead.collision import robot_geoms


@dataclass(frozen=True, eq=False, kw_only=True)
class GeomBoxes:
    """Axis-aligned boxes in the world, one per geom, given by their lowest and highest corners, shape (N, 3) [m]."""

    low: FloatArray
    high: FloatArray

    @classmethod
    def around(cls, model: mujoco.MjModel, data: mujoco.MjData, geoms: npt.NDArray[np.intp]) -> "GeomBoxes":
        """Boxes around geoms, whose poses have to be up to date."""
        aabb = model.geom_aabb[geoms]
        rotation = data.geom_xmat[geoms].reshape(-1, 3, 3)
        middle = data.geom_xpos[geoms] + np.einsum("nij,nj->ni", rotation, aabb[:, :3])
        half = np.einsum("nij,nj->ni", np.abs(rotation), aabb[:, 3:])
        return cls(low=middle - half, high=middle + half)

    def distance_above(self, others: "GeomBoxes") -> float:
        """How far all of these can sink before one touches one of the others [m]; infinite if none is below.

        Boxes beside these or wholly above them do not count. Boxes that overlap already give zero.
        """
        low, high = self.low.min(axis=0), self.high.max(axis=0)
        near = ((others.low[:, :2] <= high[:2]) & (others.high[:, :2] >= low[:2])).all(axis=1)
        near &= others.low[:, 2] <= high[2]
        their_low, their_high = others.low[near], others.high[near]
        over = (self.low[:, None, :2] <= their_high[:, :2]) & (self.high[:, None, :2] >= their_low[:, :2])
        over = over.all(axis=2) & (their_low[:, 2] <= self.high[:, None, 2])
        distances = self.low[:, None, 2] - their_high[:, 2]
        return max(0.0, float(distances[over].min(initial=np.inf)))


class Obstacles:
    """Boxes around everything in the world that can be touched, except the robot and the floor."""

    def __init__(self, scene: Scene, arm: Arm) -> None:
        model, self._data = scene.model, scene.data
        self._model = model
        self._roots = model.body_rootid[model.geom_bodyid]
        solid = (model.geom_contype != 0) | (model.geom_conaffinity != 0)
        plane = model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE.value
        self._geoms = np.flatnonzero(solid & ~plane & ~robot_geoms(model, arm))

    def height_between(self, start: FloatArray, end: FloatArray, radius: float, ignored: str | None = None) -> float:
        """Height of the highest obstacle on a level path between two points (3,) [m]; -inf if there is none.

        The radius is half the width of the path [m]; the ignored object does not count.
        """
        geoms = self._geoms
        if ignored is not None:
            geoms = geoms[self._roots[geoms] != self._model.body(body_name(ignored)).id]
        boxes = GeomBoxes.around(self._model, self._data, geoms)
        crossed = _crossed(start[:2], end[:2], boxes.low[:, :2] - radius, boxes.high[:, :2] + radius)
        return float(boxes.high[crossed, 2].max(initial=-np.inf))

    def extent(self, obj: str) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest corner of the box around an object in the world, shapes (3,) [m]."""
        own = self._geoms[self._roots[self._geoms] == self._model.body(body_name(obj)).id]
        boxes = GeomBoxes.around(self._model, self._data, own)
        return boxes.low.min(axis=0), boxes.high.max(axis=0)


def _crossed(start: FloatArray, end: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Which boxes (N, 2) the segment between two points (2,) crosses, shape (N,)."""
    way = end - start
    way = np.where(np.abs(way) < 1e-9, 1e-9, way)
    to_low, to_high = (low - start) / way, (high - start) / way
    enters, leaves = np.minimum(to_low, to_high).max(axis=1), np.maximum(to_low, to_high).min(axis=1)
    return np.asarray((enters <= leaves) & (leaves >= 0.0) & (enters <= 1.0))
