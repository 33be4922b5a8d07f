"""Lays a flat thing down in front of a place too low to stand in, and shoves it in."""

import math
from collections.abc import Iterator

import numpy as np

from ambidex.envs.simulation.pose import Pose
from ambidex.scripted_policies.libero.corners import corners_of
from ambidex.scripted_policies.libero.grasps import TIP
from ambidex.scripted_policies.libero.hand import OPEN, Motion
from ambidex.scripted_policies.libero.insert import Insert
from ambidex.scripted_policies.libero.opening import Opening
from ambidex.scripted_policies.libero.tool_frame import DOWN, pointing
from ambidex.scripted_policies.libero.ways_in import Way, with_axes

LEAN = math.radians(45)  # of a thing that is let go to fall flat
STANDING = 0.8  # height of the tip of a unit vector along its z axis, from which a thing stands
SPOTS = (0.015, 0.035, 0.06)  # between the boards and the lower edge of a thing that is to fall [m]
ASIDE = (0.0, 0.04, -0.04, 0.08, -0.08)  # from the middle of the opening [m]
RAISED = 0.012  # above what it will lie on [m]
ABOVE = 0.06  # from where it comes down [m]
RISE = 0.13  # above what stands around, before the hand turns [m]
FINGER = 0.009  # half of it in the direction of the shove [m]
BEHIND = 0.03  # the thing, where the hand comes down [m]
STOP = 0.035  # of the fingers in front of the boards [m]


class Shove(Insert):
    """The skill, for one job."""

    def motion(self, attempt: int) -> Motion:
        """Lay it down if it stands, and shove it in with open fingers."""
        if self._stands():
            if not (yield from super().motion(attempt)):
                return False
            hand = self._work.hand
            yield from hand.reach(hand.tool().shifted((0.0, 0.0, RISE)), tolerance=0.02)
        return False if self._stands() else (yield from self._shove())

    def _possible(self, category: str) -> Iterator[Way]:
        return leaning(category, self._opening)

    def _stands(self) -> bool:
        return bool(self._work.pose_of(self._thing).axis(2)[2] > STANDING)

    def _shove(self) -> Motion:
        work, hand = self._work, self._work.hand
        hand.grip = OPEN
        outwards = self._opening.outwards
        low, high = work.passage.extent(self._thing)
        middle = (low + high) / 2
        outer = float(np.abs((high - low) / 2) @ np.abs(outwards))
        spot = np.array([*(middle + (outer + FINGER + BEHIND) * outwards)[:2], self._opening.floor + TIP + 0.004])
        behind = Pose(spot, pointing(DOWN, self._opening.aside))
        yield from hand.follow(work.free_way(behind))
        goal = behind.shifted((STOP - self._opening.outside(spot)) * outwards)
        yield from hand.reach(goal, speed=0.6)
        yield from hand.reach(hand.tool().shifted(0.02 * outwards), tolerance=0.01)
        yield from hand.reach(hand.tool().shifted((0.0, 0.0, 0.1)), tolerance=0.02)
        return True


def leaning(category: str, opening: Opening) -> Iterator[Way]:
    """Poses in front of an opening from which a thing falls flat when it is let go, its foot towards the opening."""
    up = np.array([0.0, 0.0, 1.0])
    z = math.sin(LEAN) * opening.outwards + math.cos(LEAN) * up
    across = math.cos(LEAN) * opening.outwards - math.sin(LEAN) * up
    for x in (across, -across):
        quaternion = with_axes(x, z)
        corners = corners_of(category, quaternion)
        height = opening.floor - float(corners[:, 2].min()) + RAISED
        inner = float((corners @ opening.outwards).min())
        for spot in SPOTS:
            for aside in ASIDE:
                level = opening.centre + (opening.front + spot - inner) * opening.outwards + aside * opening.aside
                goal = Pose(np.array([*level[:2], height]), quaternion)
                yield goal, goal.shifted((0.0, 0.0, ABOVE))
