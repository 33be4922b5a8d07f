"""How high the hand has to travel so that it and what it carries clear everything on the way."""

from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.envs.robot import Arm
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.tasks.libero.goals.world import body_name
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.lookahead.collision import robot_geoms

# FOLDED scripted_policies.libero.geom_boxes: Level boxes around geoms, as they are in the world.


@dataclass(frozen=True, eq=False, kw_only=True)
class GeomBoxes:
    """One box per geom.

    Attributes:
        low: Lowest corners, shape (N, 3) [m].
        high: Highest corners, shape (N, 3) [m].
    """

    low: FloatArray
    high: FloatArray

    @classmethod
    def around(cls, model: mujoco.MjModel, data: mujoco.MjData, geoms: npt.NDArray[np.intp]) -> "GeomBoxes":
        """Boxes around geoms, whose poses are up to date."""
        aabb = model.geom_aabb[geoms]
        turn = data.geom_xmat[geoms].reshape(-1, 3, 3)
        middle = data.geom_xpos[geoms] + np.einsum("nij,nj->ni", turn, aabb[:, :3])
        half = np.einsum("nij,nj->ni", np.abs(turn), aabb[:, 3:])
        return cls(low=middle - half, high=middle + half)

    def fall(self, below: "GeomBoxes") -> float:
        """How far all of these can sink before one comes to the box of one below [m]; infinite if there is none.

        What is beside or wholly above does not count. Boxes that overlap already give zero.
        """
        low, high = self.low.min(axis=0), self.high.max(axis=0)
        near = ((below.low[:, :2] <= high[:2]) & (below.high[:, :2] >= low[:2])).all(axis=1)
        near &= below.low[:, 2] <= high[2]
        theirs_low, theirs_high = below.low[near], below.high[near]
        over = (self.low[:, None, :2] <= theirs_high[:, :2]) & (self.high[:, None, :2] >= theirs_low[:, :2])
        over = over.all(axis=2) & (theirs_low[:, 2] <= self.high[:, None, 2])
        gaps = self.low[:, None, 2] - theirs_high[:, 2]
        return max(0.0, float(gaps[over].min(initial=np.inf)))


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
