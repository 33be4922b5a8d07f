"""The skill `Put`: picks an object up and puts it where a goal atom wants it."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from ambidex.envs.simulation.pose import Pose
from ambidex.scripted_policies.libero.context import CLEARANCE, HAND_RADIUS, NEGLIGIBLE, Skill, SkillContext
from ambidex.scripted_policies.libero.geometry import advanced, is_tilted, poses_between, pregrasp_pose
from ambidex.scripted_policies.libero.hand import HOLD, OPEN, Motion
from ambidex.scripted_policies.libero.planning.grasps import OPEN_GAP, has_rim
from ambidex.scripted_policies.libero.planning.pick import GENTLE, HOVER, PickPlanner, PlanningMargins, PutPlan
from ambidex.scripted_policies.libero.skills.push import PushAway
from ambidex.scripted_policies.libero.subgoals import Subgoal

LIFT = 0.05  # straight up after a grasp [m]
MIN_RISE = 0.015  # of the object while it is lifted; less means that the grasp has failed [m]
UPRIGHT = 0.985  # z of the upward axis of an object that may be let go in a narrow region
ABOVE_REST = 0.003  # of an object that is about to be set down [m]
LOWERED = 0.008  # command below that, so that the object stands on something [m]
RETREAT, MIN_RETREAT_UP = 0.07, 0.04  # back along the hand after letting go, of that upwards at least [m]
LOOSE, WIDE = 0.012, 0.076  # by how much, or how far, fingers open until they are clear of an object [m]
RELEASE_STEPS = 18  # at most, until they are
NARROW_GAP = 0.056  # of the fingers where objects stand close together [m]
RETRY_STEPS = 80  # to wait if there is no plan: the search takes long
STOPS = 6  # checked on the line to a placement
MAX_PLANS = 12  # computed for one subgoal
RAISED = (0.0, 0.004, 0.008, 0.012, 0.02)  # tried if the hand collides where it should let go [m]
RAISED_SPARE = 0.003  # above the lowest of these at which it does not [m]
LOST_STEPS = 4  # consecutive steps without contact after which an object is lost


class Put(Skill):
    """Puts one object."""

    MARGINS: ClassVar[tuple[PlanningMargins, ...]] = (
        PlanningMargins(),
        PlanningMargins(cautious=False),
        PlanningMargins(cautious=False, direct=False),
        PlanningMargins(cautious=False, direct=False, dexterous=False),
        PlanningMargins(cautious=False, direct=False, dexterous=False, max_gap=NARROW_GAP),
    )
    """Tried in this order until there is a plan with a placement."""

    def __init__(self, context: SkillContext, subgoal: Subgoal) -> None:
        super().__init__(context, subgoal)
        self._obj, self._planner = subgoal.target, PickPlanner(context, subgoal.atom)
        self._level = has_rim(context.category(self._obj))

    def motion(self, attempt: int) -> Motion:
        """Pick and place; true if the object was let go where it should be."""
        plan = self._plan(attempt)
        no_placement = plan is None or plan.placement is None
        if no_placement and (yield from PushAway(self._context, self._atom).motion()):
            return False
        if plan is None:
            return (yield from self._fail(RETRY_STEPS))
        if not (yield from self._pick(plan)):
            return (yield from self._let_go(success=False))
        return (yield from self._place(plan))

    def _plan(self, attempt: int) -> PutPlan | None:
        self._context.collisions.sync()
        best: PutPlan | None = None
        for margins in self.MARGINS:
            if best is not None and best.placement is not None and not margins.direct:
                break  # a fall is better than a detour on which the arm may not arrive
            plans = list(itertools.islice(self._plans(margins), attempt % MAX_PLANS + 1))
            placed = [plan for plan in plans if plan.placement is not None]
            for plan in placed[-1:] or plans[:1]:
                best = plan if best is None or self._fault(plan) < self._fault(best) else best
            if best is not None and self._fault(best) == 0.0:
                break
        return best

    def _fault(self, plan: PutPlan) -> float:
        """What is wrong with a plan: it has no placement, or what should stay level falls so far that it may tip."""
        if plan.placement is None:
            return math.inf
        return plan.drop if plan.drop > GENTLE and self._level else 0.0

    def _plans(self, margins: PlanningMargins) -> Iterator[PutPlan]:
        return self._planner.plans(margins)

    def _pick(self, plan: PutPlan) -> Motion:
        context, hand = self._context, self._hand
        grip = context.pose_of(self._obj).inverse() @ plan.tool
        yield from hand.follow(context.empty_route(pregrasp_pose(plan.tool)))
        yield from hand.open()
        if plan.gap < OPEN_GAP:
            yield from hand.close_to(plan.gap)
        goal = context.jittered(context.pose_of(self._obj) @ grip)
        yield from hand.move_to(goal, speed=0.7)
        yield from hand.close()
        height, here = context.pose_of(self._obj).position[2], hand.tool_pose
        # A tilted hand may have come from under something, and has to go back there before it goes up.
        lifted = pregrasp_pose(here) if is_tilted(here) else here.shifted((0.0, 0.0, LIFT))
        yield from hand.move_to(lifted, tolerance=0.01, speed=0.8)
        rise = context.pose_of(self._obj).position[2] - height
        return bool(rise > MIN_RISE and context.held(self._obj))

    def _place(self, plan: PutPlan) -> Motion:
        context, hand = self._context, self._hand
        plan = self._as_held(plan)
        placement = plan.placement
        if placement is None:
            return (yield from self._let_go(success=False))
        pose, tool = context.pose_of(self._obj), hand.tool_pose
        above = placement.shifted((0.0, 0.0, HOVER)) @ (pose.inverse() @ tool)
        depth, radius = self._load()
        narrow = context.placements.is_narrow(self._atom)
        carry = self._carry(context.route(above, depth, radius, self._obj))
        if not (yield from while_held(context, self._obj, carry)):
            return (yield from self._let_go(success=False))
        # The object may have slipped in the hand on the way.
        grip = context.pose_of(self._obj).inverse() @ hand.tool_pose
        over = placement.shifted((0.0, 0.0, 0.0 if plan.drop else ABOVE_REST)) @ grip
        yield from hand.move_to(over, speed=0.6, slowed=True)
        if narrow:
            # An object that stands on the floor does not tip over as the fingers open.
            yield from hand.move_to(over.shifted((0.0, 0.0, -LOWERED)), speed=0.3, timeout=15)
            if not self._is_standing():
                yield from hand.follow(context.route(plan.tool, depth, radius, self._obj))
                return (yield from self._let_go(success=False))
        elif not plan.drop:
            lowered = over.shifted((0.0, 0.0, -LOWERED))
            yield from hand.move_to(lowered, speed=0.3, timeout=15, until=lambda: context.touches_scene(self._obj))
        return (yield from self._let_go(success=True))

    def _carry(self, route: Sequence[Pose]) -> Motion:
        """Along a route, with a stop where it goes down, as there may be walls beside that way."""
        *across, end = route
        if across and across[-1].position[2] > end.position[2] + NEGLIGIBLE:
            yield from self._hand.follow(across, exact=True)
            across = []
        return (yield from self._hand.follow([*across, end], exact=True))

    def _as_held(self, plan: PutPlan) -> PutPlan:
        """The plan for the object as the hand holds it now, let go higher or elsewhere if the hand collides there.

        Closing fingers turn an object, a bowl by the slope of its wall.
        """
        self._context.collisions.sync()
        raised = self._raised(plan)
        if raised is not None and (raised.drop <= GENTLE or not self._level):
            return raised
        elsewhere = self._planner.replaced(plan)
        if elsewhere is None or (raised is not None and elsewhere.drop > GENTLE):
            return raised or plan
        return elsewhere

    def _raised(self, plan: PutPlan) -> PutPlan | None:
        """The plan, with its own placement or the lowest of some above it at which the arm collides with nothing."""
        placement = plan.placement
        heights = () if placement is None else (h for h in RAISED if self._can_release(placement.shifted((0, 0, h))))
        height = next(iter(heights), None)
        if placement is None or height is None:
            return None
        raised = height + RAISED_SPARE if height else 0.0
        return replace(plan, placement=placement.shifted((0.0, 0.0, raised)), drop=plan.drop + raised)

    def _can_release(self, placement: Pose) -> bool:
        """Whether the arm reaches a placement from its present posture, and collides with nothing there as it is."""
        context, start = self._context, self._context.posture()
        grip = context.pose_of(self._obj).inverse() @ start.tool
        over = placement.shifted((0.0, 0.0, HOVER)) @ grip
        joints = context.reach.joints_along([*poses_between(start.tool, over, STOPS), placement @ grip], start.joints)
        gap = self._hand.gap()
        return joints is not None and not context.collisions.arm_collides(
            joints, gap, ignored=(self._obj,), cautious=False
        )

    def _load(self) -> tuple[float, float]:
        """How far the object in the hand reaches below the tool, with clearance, and to the side [m]."""
        low, high = self._context.obstacles.extent(self._obj)
        tool = self._hand.tool_pose.position
        reach = np.maximum(np.abs(high - tool), np.abs(tool - low))
        radius = float(max(HAND_RADIUS, np.hypot(*reach[:2]) * 0.8))
        return float(tool[2] - low[2]) + CLEARANCE, radius

    def _is_standing(self) -> bool:
        """Whether the object in the hand is upright and down on the floor of its region."""
        return self._context.uprightness(self._obj) > UPRIGHT and self._context.is_on_floor(self._atom)

    def _let_go(self, *, success: bool) -> Motion:
        """Open the hand and retreat; returns `success`."""
        hand = self._hand
        free = min(hand.gap() + LOOSE, WIDE)
        hand.grip = OPEN
        # The hand retreats as soon as the fingers are clear of the object. Wide open they would lift a bowl around it.
        yield from hand.wait(RELEASE_STEPS, until=lambda: hand.gap() > free)
        hand.grip = HOLD if hand.gap() > free else OPEN
        yield from hand.move_to(_retreat_pose(hand.tool_pose), tolerance=0.02, angle_tolerance=1.0)
        hand.grip = OPEN
        return success


def _retreat_pose(tool: Pose) -> Pose:
    away = advanced(tool, -RETREAT)
    height = max(away.position[2], tool.position[2] + MIN_RETREAT_UP)
    return Pose(np.array([*away.position[:2], height]), tool.quaternion)


def while_held(context: SkillContext, obj: str, motion: Motion) -> Motion:
    """The same motion, which ends at once if the object is lost; returns whether it is held at the end."""
    missing = 0
    for _ in motion:
        yield
        missing = 0 if context.held(obj) else missing + 1
        if missing >= LOST_STEPS:
            return False
    return context.held(obj)
