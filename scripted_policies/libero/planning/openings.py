"""Regions under a roof that are open to one side, such as the layers of a shelf."""

from dataclasses import dataclass

import mujoco
import numpy as np

from ambidex.envs.simulation.scene import Scene
from ambidex.envs.tasks.libero.goals.world import RegionFrame
from ambidex.envs.types import FloatArray

MAX_WALL_DISTANCE = 0.06  # of a wall from the region that it bounds [m]
LIP = 0.012  # from the end of the region to the outer end of the boards around it [m]
COLLISION_GROUPS = np.array([0, 0, 0, 1, 0, 0], np.uint8)  # geom groups that rays hit


@dataclass(frozen=True, kw_only=True, eq=False)
class Opening:
    """The open side of a covered region.

    Attributes:
        centre: Centre of the region, shape (3,) [m].
        outwards: Level direction out of the region, shape (3,).
        back: Distance from the centre to the back wall [m].
        inner: Distance from the centre to the end of the region on the open side [m].
        floor: Height of the floor [m].
        roof: Height of the roof [m].
    """

    centre: FloatArray
    outwards: FloatArray
    back: float
    inner: float
    floor: float
    roof: float

    @property
    def front(self) -> float:
        """Distance from the centre to the outer end of the boards around the region [m]."""
        return self.inner + LIP

    @property
    def aside(self) -> FloatArray:
        """Level direction along the opening, shape (3,)."""
        return np.cross((0.0, 0.0, 1.0), self.outwards)

    def outside(self, point: FloatArray) -> float:
        """How far a point (3,) is in front of the boards [m]; negative between them."""
        return float(np.dot(point - self.centre, self.outwards)) - self.front


def find_opening(scene: Scene, frame: RegionFrame) -> Opening | None:
    """The opening of a region; None if objects can be put in from above, or from no side."""
    roof = _wall_distance(scene, frame, np.array([0.0, 0.0, 1.0]))
    floor = _wall_distance(scene, frame, np.array([0.0, 0.0, -1.0]))
    if roof is None or floor is None:
        return None
    for axis, sign in ((1, -1.0), (1, 1.0), (0, -1.0), (0, 1.0)):
        outwards = sign * frame.rotation[:, axis]
        back = _wall_distance(scene, frame, -outwards)
        if back is not None and _wall_distance(scene, frame, outwards) is None:
            return Opening(
                centre=frame.position,
                outwards=outwards,
                back=back,
                inner=float(frame.half_size[axis]),
                floor=float(frame.position[2]) - floor,
                roof=float(frame.position[2]) + roof,
            )
    return None


def _wall_distance(scene: Scene, frame: RegionFrame, direction: FloatArray) -> float | None:
    """Distance from the centre of a region to the wall around it [m]; None if there is none."""
    furthest = float(np.abs(direction @ frame.rotation) @ frame.half_size) + MAX_WALL_DISTANCE
    geom = np.full(1, -1, np.int32)
    distance = float(mujoco.mj_ray(scene.model, scene.data, frame.position, direction, COLLISION_GROUPS, 1, -1, geom))
    return distance if 0.0 <= distance < furthest else None
