"""How a thing is taken and brought into a covered place through its open side."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import mujoco
import numpy as np

from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.geometry import corners_of, poses_between
from ambidex.scripted_policies.libero.lookahead.collision import Probe
from ambidex.scripted_policies.libero.lookahead.reach import Reach
from ambidex.scripted_policies.libero.planning.grasps import Grasp, has_rim, side_grasps
from ambidex.scripted_policies.libero.planning.openings import Opening
from ambidex.scripted_policies.libero.planning.pick import AGILE, HOLDING, PickPlan, PutPlan, Strictness

# FOLDED scripted_policies.libero.ways_in: Where a thing may be let go in a covered place, and from where it comes there.

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


LOOKED_AT = 0.1  # how far over the doorway the arm comes from [m]


@dataclass(frozen=True, eq=False)
class InsertPlan(PutPlan):
    """A plan with a way in.

    Attributes:
        doorway: The thing in front of the opening, in the world, turned as it goes in.
    """

    doorway: Pose


class InsertPlanner:
    """Tries ways in against the copy of the world in a probe."""

    def __init__(self, probe: Probe, reach: Reach, pick_plan: PickPlan) -> None:
        self._probe, self._reach, self._pick_plan = probe, reach, pick_plan

    def plans(
        self,
        thing: str,
        category: str,
        opening: Opening,
        ways: Sequence[Way],
        pose: Pose,
        here: Pose,
        joints: FloatArray,
        strictness: Strictness,
    ) -> Iterator[InsertPlan]:
        """Ways to do it, better ones first.

        Args:
            thing: What goes in.
            category: Of the thing.
            opening: Where it goes in.
            ways: Where it may be let go, and from where it comes there, better ones first.
            pose: Where the thing is.
            here: Where the hand is.
            joints: Where the arm is, shape (7,) [rad].
            strictness: What the plans have to keep to. Where the thing is taken, the arm never creeps.
        """
        choice = _fitting(category, opening, ways)
        taking = replace(strictness, agile=True)
        for tool, _, _ in self._pick_plan.takes(thing, pose, category, here, joints, taking, choice):
            # How the arm gets there decides how far it can turn afterwards.
            at = self._along(poses_between(here, tool, 8), joints, strictness)
            if at is None:
                continue
            grip = pose.inverse() @ tool
            for goal, doorway in ways:
                plan = InsertPlan(tool, goal, doorway)
                if hand_fits(goal @ grip, opening) and self._goes(plan, grip, thing, at, strictness):
                    yield plan
                    break

    def _goes(self, plan: InsertPlan, grip: Pose, thing: str, at: FloatArray, strictness: Strictness) -> bool:
        """Whether arm and thing are free of everything on the way in."""
        above = plan.doorway.shifted((0.0, 0.0, LOOKED_AT))
        over = above @ grip
        lifted = plan.tool.shifted((0.0, 0.0, LOOKED_AT))
        joints = self._along([*poses_between(plan.tool, lifted, 2), *poses_between(lifted, over, 8)], at, strictness)
        if joints is None or plan.place is None:
            return False
        for stop in (above, *poses_between(above, plan.doorway, 2), *poses_between(plan.doorway, plan.place, 4)):
            joints = None if joints is None else self._reach.joints(stop @ grip, joints, continuous=True)
            self._probe.place(thing, stop)
            cautious = strictness.cautious
            if joints is None or self._probe.collides(joints, HOLDING, carried=thing, cautious=cautious):
                return False
        return True

    def _along(self, tools: Sequence[Pose], joints: FloatArray, strictness: Strictness) -> FloatArray | None:
        """Joints (7,) at the last of several poses; None if the arm does not get there, or creeps on the way."""
        for tool in tools:
            found = self._reach.joints(tool, joints, continuous=True)
            if found is None or (strictness.agile and self._reach.agility(found) < AGILE):
                return None
            joints = found
        return joints


def _fitting(category: str, opening: Opening, ways: Sequence[Way]) -> list[Grasp]:
    """Grasps whose hand has room at the end of a way in."""
    # Of goals that differ in depth alone, the shallowest leaves most room.
    shallowest: dict[bytes, Pose] = {}
    for goal, _ in ways:
        known = shallowest.get(goal.quaternion.tobytes())
        if known is None or opening.outside(goal.position) > opening.outside(known.position):
            shallowest[goal.quaternion.tobytes()] = goal
    goals = list(shallowest.values())
    return [grasp for grasp in side_grasps(category) if any(hand_fits(goal @ grasp.tool, opening) for goal in goals)]


# FOLDED scripted_policies.libero.hand_room: Whether there is room for the hand in a covered place, by its box alone: cheap, before anything is tried.

PALM = 0.1  # from the grip site back to the wrist, which stays outside [m]
HAND = ((-0.028, -0.1, -PALM), (0.028, 0.1, -0.034))  # the hand's box in the tool frame, the fingers left out [m]
CORNERS = np.array(list(itertools.product(*zip(*HAND, strict=True))))


def hand_fits(tool: Pose, opening: Opening) -> bool:
    """Whether the wrist is outside, and what of the hand is inside is below the roof and above the floor."""
    if opening.outside(tool.position - PALM * tool.axis(2)) < 0.0:
        return False
    corners = tool.position + CORNERS @ _axes(tool).T
    height = corners[:, 2]
    inside = (corners - opening.centre) @ opening.outwards < opening.front
    return bool((~inside | ((height > opening.floor) & (height < opening.roof))).all())


def _axes(tool: Pose) -> FloatArray:
    return np.stack([tool.axis(0), tool.axis(1), tool.axis(2)], axis=1)
