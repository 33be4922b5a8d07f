"""How high the hand has to travel so that it and what it carries clear everything on the way."""

import mujoco
import numpy as np

from ambidex.envs.robot import Arm
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.tasks.libero.goals.world import body_name
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.geom_boxes import GeomBoxes
from ambidex.scripted_policies.libero.robot_geoms import robot_geoms


class Passage:
    """Boxes around everything that can be touched but the robot."""

    def __init__(self, scene: Scene, arm: Arm) -> None:
        model, self._data = scene.model, scene.data
        self._model = model
        self._roots = model.body_rootid[model.geom_bodyid]
        solid = (model.geom_contype != 0) | (model.geom_conaffinity != 0)
        flat = model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE.value
        self._geoms = np.flatnonzero(solid & ~flat & ~robot_geoms(model, arm))

    def top(self, start: FloatArray, end: FloatArray, radius: float, ignored: str | None = None) -> float:
        """Highest point of what lies within `radius` [m] of the level line between two points (3,) [m].

        Args:
            start: Where the line begins.
            end: Where it ends.
            radius: Half the width of the passage.
            ignored: A thing that travels along.
        """
        boxes = self._boxes(ignored)
        crossed = _crossed(start[:2], end[:2], boxes.low[:, :2] - radius, boxes.high[:, :2] + radius)
        return float(boxes.high[crossed, 2].max(initial=-np.inf))

    def extent(self, thing: str) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest corner of the box around a thing in the world, shapes (3,) [m]."""
        mine = self._geoms[self._roots[self._geoms] == self._model.body(body_name(thing)).id]
        boxes = GeomBoxes.around(self._model, self._data, mine)
        return boxes.low.min(axis=0), boxes.high.max(axis=0)

    def _boxes(self, ignored: str | None) -> GeomBoxes:
        geoms = self._geoms
        if ignored is not None:
            geoms = geoms[self._roots[geoms] != self._model.body(body_name(ignored)).id]
        return GeomBoxes.around(self._model, self._data, geoms)


def _crossed(start: FloatArray, end: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Which boxes (N, 2) a segment between two points (2,) meets, shape (N,)."""
    way = end - start
    way = np.where(np.abs(way) < 1e-9, 1e-9, way)
    near, far = (low - start) / way, (high - start) / way
    enters, leaves = np.minimum(near, far).max(axis=1), np.maximum(near, far).min(axis=1)
    return np.asarray((enters <= leaves) & (leaves >= 0.0) & (enters <= 1.0))
