"""Where a thing may be let go in a covered place, and from where it comes there."""

import itertools
import math
from collections.abc import Iterator

import mujoco
import numpy as np

from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.corners import corners_of
from ambidex.scripted_policies.libero.opening import Opening
from ambidex.scripted_policies.libero.side_grasps import has_rim

GAPS = (0.015, 0.03, 0.05, 0.08)  # from the back wall to the thing [m]
ASIDE = (0.0, 0.025, -0.025, 0.05, -0.05, 0.09, -0.09)  # from the middle of the opening [m]
ROOM = 0.006  # that a thing needs under the roof [m]
RAISED = 0.012  # above the floor on the way in, at most [m]
WELL_IN = 0.02  # of a body's origin from a region's open end and back [m]
BEHIND_DOOR = 0.004  # of what is shut in, from the boards' outer end [m]
BEFORE = 0.015  # between the boards and a thing that is about to go in [m]
YAWS = tuple(math.radians(angle) for angle in range(-150, 181, 15))

Way = tuple[Pose, Pose]
"""Where a thing is let go, and where it is just before: in front of the opening, turned as it goes in."""


def ways_in(category: str, opening: Opening, *, whole: bool = False) -> Iterator[Way]:
    """Where a thing may be let go in a covered place: upright, or lying with its top towards the open side.

    What is open above stays upright.

    Args:
        category: Of the thing.
        opening: The place.
        whole: Nothing of the thing may stick out, as a door is closed behind it.
    """
    for quaternion in (*_upright(opening), *(() if has_rim(category) else _lying(opening))):
        corners = corners_of(category, quaternion)
        spare = opening.roof - opening.floor - float(np.ptp(corners[:, 2]))
        if spare < ROOM:
            continue
        height = opening.floor - float(corners[:, 2].min()) + min(RAISED, spare / 2)
        for aside, gap in itertools.product(ASIDE, GAPS):
            depth = -opening.back + gap - float((corners @ opening.outwards).min())
            sticks_out = depth + float((corners @ opening.outwards).max()) - opening.front
            if abs(depth) > opening.inner - WELL_IN or (whole and sticks_out > -BEHIND_DOOR):
                continue
            level = opening.centre + depth * opening.outwards + aside * opening.aside
            goal = Pose(np.array([*level[:2], height]), quaternion)
            inner_end = opening.outside(goal.position) + float((corners @ opening.outwards).min())
            yield goal, goal.shifted((BEFORE - inner_end) * opening.outwards)


def _upright(opening: Opening) -> Iterator[FloatArray]:
    facing = math.atan2(opening.outwards[1], opening.outwards[0])
    for yaw in sorted(YAWS, key=abs):
        yield quaternion_about((0, 0, 1), facing + yaw)


def _lying(opening: Opening) -> Iterator[FloatArray]:
    """The thing's z axis outwards, and its x axis along the opening."""
    for side in (1.0, -1.0):
        yield with_axes(side * opening.aside, opening.outwards)


def with_axes(x: FloatArray, z: FloatArray) -> FloatArray:
    """Quaternion (wxyz) of a thing whose x and z axes (3,), at right angles, point there."""
    quaternion = np.empty(4)
    mujoco.mju_mat2Quat(quaternion, np.stack([x, np.cross(z, x), z], axis=1).ravel())
    return quaternion
