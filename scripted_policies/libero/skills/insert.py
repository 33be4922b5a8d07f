"""The skills `Insert`, which brings an object into a covered region through its open side, and `Shove`.

`Shove` is for regions too low for an object to stand in: it drops the object in front so that it falls flat, and shoves
it in.
"""

import itertools
import math
from collections.abc import Iterator

import numpy as np

from ambidex.envs.simulation.pose import Pose, quaternion_product
from ambidex.scripted_policies.libero.context import SkillContext
from ambidex.scripted_policies.libero.geometry import (
    DOWN,
    box_corners,
    initial_stance,
    orientation,
    tool_poses,
)
from ambidex.scripted_policies.libero.geometry import (
    UPRIGHT_ROTATIONS as UPRIGHT_ROTATIONS,
)
from ambidex.scripted_policies.libero.hand import OPEN, Motion
from ambidex.scripted_policies.libero.planning.grasps import TIP
from ambidex.scripted_policies.libero.planning.insertion import (
    OVER_ENTRY,
    InsertionPath,
    InsertPlanner,
    insertion_paths,
)
from ambidex.scripted_policies.libero.planning.openings import Opening
from ambidex.scripted_policies.libero.planning.pick import PlanningMargins, PutPlan
from ambidex.scripted_policies.libero.skills.put import Put
from ambidex.scripted_policies.libero.subgoals import Subgoal, opening_joint

RETREAT = 0.1  # back along the hand after letting go [m]
LOWERED = 0.01  # before letting go, less than the object is carried above the floor [m]

LEAN = math.radians(45)  # of an object that is let go to fall flat, from upright
STANDING = 0.8  # z of the upward axis from which an object stands
TIPPING_GAPS = (0.015, 0.035, 0.06)  # between the boards and the lower edge of an object that is to fall [m]
TIPPING_ASIDE = (0.0, 0.04, -0.04, 0.08, -0.08)  # from the middle of the opening [m]
RAISED = 0.012  # above the floor on which the object will lie [m]
ABOVE = 0.06  # from where it comes down [m]
RISE = 0.13  # of the hand after that, above surrounding objects, before it turns [m]
FINGER = 0.009  # half the thickness of a finger in the direction of the shove [m]
BEHIND = 0.03  # distance of the hand from the object where it comes down [m]
STOP = 0.035  # distance of the fingers from the boards at the end of the shove [m]


class Insert(Put):
    """Inserts one object through an opening."""

    MARGINS = Put.MARGINS[:-1]

    def __init__(self, context: SkillContext, subgoal: Subgoal, opening: Opening) -> None:
        super().__init__(context, subgoal)
        self._opening = opening
        paths = list(self._paths(context.category(self._obj)))
        self._insert_planner = InsertPlanner(context, subgoal.atom, opening, paths)

    def _paths(self, category: str) -> Iterator[InsertionPath]:
        has_door = opening_joint(self._context.task.problem, self._atom.arguments[1]) is not None
        return insertion_paths(category, self._opening, behind_door=has_door)

    def _plans(self, margins: PlanningMargins) -> Iterator[PutPlan]:
        return self._insert_planner.plans(margins)

    def _place(self, plan: PutPlan) -> Motion:
        if plan.entry is None or plan.placement is None:
            raise TypeError(f"Expected a plan with an entry and a placement, got {plan!r}.")
        context, hand = self._context, self._hand
        entry = plan.entry @ (context.pose_of(self._obj).inverse() @ hand.tool_pose)
        # The object is turned before it comes down to the entry, as there may be an open door beside it.
        above = entry.shifted((0.0, 0.0, OVER_ENTRY))
        yield from hand.follow(context.route(above, *self._load(), self._obj))
        if not context.held(self._obj):
            return (yield from self._let_go(success=False))
        grip = context.pose_of(self._obj).inverse() @ hand.tool_pose
        yield from hand.move_to(plan.entry @ grip, speed=0.6)
        yield from hand.move_to(plan.placement @ grip, speed=0.6)
        yield from hand.move_to(plan.placement.shifted((0.0, 0.0, -LOWERED)) @ grip, speed=0.3, timeout=15)
        yield from hand.release(RETREAT)
        return True


class Shove(Insert):
    """Lays one object down in front of an opening and shoves it in."""

    def motion(self, attempt: int) -> Motion:
        """Lay the object down if it stands, and shove it in with open fingers."""
        if self._stands():
            if not (yield from super().motion(attempt)):
                return False
            yield from self._hand.move_to(self._hand.tool_pose.shifted((0.0, 0.0, RISE)), tolerance=0.02)
        return False if self._stands() else (yield from self._shove())

    def _paths(self, category: str) -> Iterator[InsertionPath]:
        return tipping_paths(category, self._opening)

    def _stands(self) -> bool:
        return self._context.uprightness(self._obj) > STANDING

    def _shove(self) -> Motion:
        context, hand = self._context, self._hand
        hand.grip = OPEN
        outwards = self._opening.outwards
        low, high = context.obstacles.extent(self._obj)
        half_length = float(np.abs((high - low) / 2) @ np.abs(outwards))
        outer = (low + high) / 2 + (half_length + FINGER + BEHIND) * outwards
        position = np.array([*outer[:2], self._opening.floor + TIP + 0.004])
        behind, _ = tool_poses(position, DOWN, self._opening.aside)
        yield from hand.follow(context.empty_route(behind))
        goal = behind.shifted((STOP - self._opening.outside(position)) * outwards)
        yield from hand.move_to(goal, speed=0.6)
        yield from hand.move_to(hand.tool_pose.shifted(0.02 * outwards), tolerance=0.01)
        yield from hand.move_to(hand.tool_pose.shifted((0.0, 0.0, 0.1)), tolerance=0.02)
        return True


def tipping_paths(category: str, opening: Opening) -> Iterator[InsertionPath]:
    """Poses in front of an opening from which an object falls flat when let go, its foot towards the opening."""
    up = np.array([0.0, 0.0, 1.0])
    z = math.sin(LEAN) * opening.outwards + math.cos(LEAN) * up
    across = math.cos(LEAN) * opening.outwards - math.sin(LEAN) * up
    for x in (across, -across):
        quaternion = quaternion_product(
            orientation(x, np.cross(z, x), z), UPRIGHT_ROTATIONS[initial_stance(category).up]
        )
        corners = box_corners(category, quaternion)
        height = opening.floor - float(corners[:, 2].min()) + RAISED
        inner = float((corners @ opening.outwards).min())
        for gap, aside in itertools.product(TIPPING_GAPS, TIPPING_ASIDE):
            level = opening.centre + (opening.front + gap - inner) * opening.outwards + aside * opening.aside
            goal = Pose(np.array([*level[:2], height]), quaternion)
            yield InsertionPath(goal, goal.shifted((0.0, 0.0, ABOVE)))
