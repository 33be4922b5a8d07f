"""Places under a roof that are open to one side, such as the layers of a shelf."""

from dataclasses import dataclass

import mujoco
import numpy as np

from ambidex.envs.tasks.libero.goals.world import RegionFrame
from ambidex.envs.types import FloatArray

REACH = 0.06  # how far beyond a region its walls may be [m]
LIP = 0.012  # from the region's end to the outer end of the boards around it [m]
SOLID = np.array([0, 0, 0, 1, 0, 0], np.uint8)  # the group of what can be touched


@dataclass(frozen=True, kw_only=True, eq=False)
class Opening:
    """A covered place.

    Attributes:
        centre: Of the region, shape (3,) [m].
        outwards: Level direction out of it, shape (3,).
        back: From the centre to the back wall [m].
        inner: From the centre to where the region ends on the open side [m].
        floor: Height of what things stand on [m].
        roof: Height of what covers it [m].
    """

    centre: FloatArray
    outwards: FloatArray
    back: float
    inner: float
    floor: float
    roof: float

    @property
    def front(self) -> float:
        """From the centre to the outer end of the boards around it [m]."""
        return self.inner + LIP

    @property
    def aside(self) -> FloatArray:
        """Level direction along the opening, shape (3,)."""
        return np.cross((0.0, 0.0, 1.0), self.outwards)

    def outside(self, point: FloatArray) -> float:
        """How far a point (3,) is in front of the boards [m]; negative between them."""
        return float(np.dot(point - self.centre, self.outwards)) - self.front


def find_opening(model: mujoco.MjModel, data: mujoco.MjData, frame: RegionFrame) -> Opening | None:
    """How a region is covered and open, None if things can be put in from above or from no side."""
    roof = _free_way(model, data, frame, np.array([0.0, 0.0, 1.0]))
    floor = _free_way(model, data, frame, np.array([0.0, 0.0, -1.0]))
    if roof is None or floor is None:
        return None
    for axis, sign in ((1, -1.0), (1, 1.0), (0, -1.0), (0, 1.0)):
        outwards = sign * frame.rotation[:, axis]
        back = _free_way(model, data, frame, -outwards)
        if back is not None and _free_way(model, data, frame, outwards) is None:
            return Opening(
                centre=frame.position,
                outwards=outwards,
                back=back,
                inner=float(frame.half_size[axis]),
                floor=float(frame.position[2]) - floor,
                roof=float(frame.position[2]) + roof,
            )
    return None


def _free_way(model: mujoco.MjModel, data: mujoco.MjData, frame: RegionFrame, along: FloatArray) -> float | None:
    """Distance from the centre to the first wall around a region, None if there is none [m]."""
    reach = float(np.abs(along @ frame.rotation) @ frame.half_size) + REACH
    met = np.full(1, -1, np.int32)
    distance = float(mujoco.mj_ray(model, data, frame.position, along, SOLID, 1, -1, met))
    return distance if 0.0 <= distance < reach else None
