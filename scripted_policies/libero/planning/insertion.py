"""Plans how to pick an object up and bring it into a covered region through its open side."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ambidex.envs.simulation.pose import Pose, quaternion_about, quaternion_product
from ambidex.envs.tasks.libero.bddl.problem import Atom
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.context import SkillContext
from ambidex.scripted_policies.libero.geometry import (
    UPRIGHT_ROTATIONS,
    box_corners,
    initial_stance,
    orientation,
    poses_between,
)
from ambidex.scripted_policies.libero.planning.grasps import Grasp, all_grasps, has_rim
from ambidex.scripted_policies.libero.planning.openings import Opening
from ambidex.scripted_policies.libero.planning.pick import (
    HOLDING_GAP,
    MIN_DEXTERITY,
    PickPlanner,
    PlanningMargins,
    PutPlan,
)

GAPS = (0.015, 0.03, 0.05, 0.08)  # between the back wall and the object [m]
ASIDE = (0.0, 0.025, -0.025, 0.05, -0.05, 0.09, -0.09)  # from the middle of the opening [m]
ROOF_CLEARANCE = 0.006  # between the object and the roof, at least [m]
RAISED = 0.012  # above the floor on the way in, at most [m]
INSIDE = 0.02  # of an object's origin from the ends of the region, at least [m]
BEHIND_DOOR = 0.004  # of what is behind a closed door from the outer end of the boards [m]
IN_FRONT = 0.015  # between the boards and an object that is about to go in [m]
YAWS = tuple(math.radians(angle) for angle in range(-150, 181, 15))
OVER_ENTRY = 0.1  # height above the entry from which the arm comes down [m]
PALM = 0.1  # from the grip site back to the wrist, which stays outside [m]
HAND_BOX = ((-0.028, -0.1, -PALM), (0.028, 0.1, -0.034))  # of the hand without its fingers, in the tool frame [m]
HAND_CORNERS = np.array(list(itertools.product(*zip(*HAND_BOX, strict=True))))


class InsertionPath(NamedTuple):
    """Two poses of an object: where it is let go, and the entry in front of the opening, oriented as it goes in."""

    goal: Pose
    entry: Pose


def insertion_paths(category: str, opening: Opening, *, behind_door: bool = False) -> Iterator[InsertionPath]:
    """Paths of an object into a covered region: upright, or lying with its top towards the open side.

    Objects that are open at the top stay upright. Behind a door, which is closed afterwards, nothing may stick out.
    """
    standing = UPRIGHT_ROTATIONS[initial_stance(category).up]
    for rotation in (*_upright(opening), *(() if has_rim(category) else _lying(opening))):
        quaternion = quaternion_product(rotation, standing)
        corners = box_corners(category, quaternion)
        spare = opening.roof - opening.floor - float(np.ptp(corners[:, 2]))
        if spare < ROOF_CLEARANCE:
            continue
        height = opening.floor - float(corners[:, 2].min()) + min(RAISED, spare / 2)
        inner, outer = float((corners @ opening.outwards).min()), float((corners @ opening.outwards).max())
        for aside, gap in itertools.product(ASIDE, GAPS):
            depth = -opening.back + gap - inner
            sticks_out = depth + outer - opening.front
            if abs(depth) > opening.inner - INSIDE or (behind_door and sticks_out > -BEHIND_DOOR):
                continue
            level = opening.centre + depth * opening.outwards + aside * opening.aside
            goal = Pose(np.array([*level[:2], height]), quaternion)
            inner_end = opening.outside(goal.position) + inner
            yield InsertionPath(goal, goal.shifted((IN_FRONT - inner_end) * opening.outwards))


def _upright(opening: Opening) -> Iterator[FloatArray]:
    facing = math.atan2(opening.outwards[1], opening.outwards[0])
    for yaw in sorted(YAWS, key=abs):
        yield quaternion_about((0, 0, 1), facing + yaw)


def _lying(opening: Opening) -> Iterator[FloatArray]:
    """What is up when the object stands outwards, and its side along the opening."""
    for side in (1.0, -1.0):
        x = side * opening.aside
        yield orientation(x, np.cross(opening.outwards, x), opening.outwards)


class InsertPlanner:
    """Searches a grasp and an insertion path, better ones first, for the object that is the atom's first argument."""

    def __init__(self, context: SkillContext, atom: Atom, opening: Opening, paths: Sequence[InsertionPath]) -> None:
        self._context, self._obj, self._opening, self._paths = context, atom.arguments[0], opening, paths
        self._pick_planner = PickPlanner(context, atom)

    def plans(self, margins: PlanningMargins) -> Iterator[PutPlan]:
        """Plans, better ones first. At the grasp itself the arm always has to be dexterous."""
        pose, start = self._context.pose_of(self._obj), self._context.posture()
        at_grasp = replace(margins, dexterous=True)
        for grasp, _ in self._pick_planner.reachable_grasps(at_grasp, pose, self._fitting_grasps()):
            # The route of the arm to the grasp decides how far it can turn afterwards.
            joints = self._joints_along(poses_between(start.tool, grasp.tool, 8), start.joints, margins)
            if joints is None:
                continue
            grip = pose.inverse() @ grasp.tool
            for path in self._paths:
                fits = hand_fits(path.goal @ grip, self._opening)
                if fits and self._is_free(path, grasp.tool, grip, joints, margins):
                    yield PutPlan(grasp.tool, path.goal, entry=path.entry)
                    break

    def _is_free(
        self, path: InsertionPath, tool: Pose, grip: Pose, start: FloatArray, margins: PlanningMargins
    ) -> bool:
        """Whether arm and object collide with nothing from the grasp to the end of a path."""
        above, lifted = (pose.shifted((0.0, 0.0, OVER_ENTRY)) for pose in (path.entry, tool))
        route = [*poses_between(tool, lifted, 2), *poses_between(lifted, above @ grip, 8)]
        joints = self._joints_along(route, start, margins)
        for stop in (above, *poses_between(above, path.entry, 2), *poses_between(path.entry, path.goal, 4)):
            if joints is None:
                return False
            self._context.collisions.place(self._obj, stop)
            joints = self._context.reach.free_joints_at(
                stop @ grip, joints, HOLDING_GAP, continuous=True, carried=self._obj, cautious=margins.cautious
            )
        return joints is not None

    def _joints_along(self, tools: Sequence[Pose], start: FloatArray, margins: PlanningMargins) -> FloatArray | None:
        """Joints (7,) at the last of several poses; None if one is out of reach or, by the margins, not dexterous."""
        reach = self._context.reach
        for tool in tools:
            found = reach.joints_at(tool, start, continuous=True)
            if found is None or (margins.dexterous and reach.dexterity(found) < MIN_DEXTERITY):
                return None
            start = found
        return start

    def _fitting_grasps(self) -> list[Grasp]:
        """Grasps whose hand has room at the end of a path."""
        # Among goals that differ in depth alone, the least deep leaves most room for the hand.
        least_deep: dict[bytes, Pose] = {}
        for goal, _ in self._paths:
            known = least_deep.setdefault(goal.quaternion.tobytes(), goal)
            if self._opening.outside(goal.position) > self._opening.outside(known.position):
                least_deep[goal.quaternion.tobytes()] = goal
        goals = list(least_deep.values())
        grasps = all_grasps(self._context.category(self._obj))
        return [grasp for grasp in grasps if any(hand_fits(goal @ grasp.tool, self._opening) for goal in goals)]


def hand_fits(tool: Pose, opening: Opening) -> bool:
    """Whether the wrist is outside, and the part of the hand's box inside is below the roof and above the floor.

    A quick check by the box alone, before any collision check.
    """
    if opening.outside(tool.position - PALM * tool.axis(2)) < 0.0:
        return False
    axes = np.stack([tool.axis(0), tool.axis(1), tool.axis(2)], axis=1)
    corners = tool.position + HAND_CORNERS @ axes.T
    height = corners[:, 2]
    inside = (corners - opening.centre) @ opening.outwards < opening.front
    return bool((~inside | ((height > opening.floor) & (height < opening.roof))).all())
