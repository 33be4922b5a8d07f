"""Pushes objects over a surface: `PushAway`, before an object can be grasped, and the skill `Slide`, for a plate."""

import itertools
import math
from collections.abc import Iterator

import numpy as np

from ambidex.envs.objects.properties import object_properties
from ambidex.envs.simulation.pose import Pose, angle_between
from ambidex.envs.tasks.libero.bddl.problem import Atom
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.context import Skill, SkillContext
from ambidex.scripted_policies.libero.geometry import (
    DOWN,
    box_corners,
    pregrasp_pose,
    stance_of,
    tool_poses,
)
from ambidex.scripted_policies.libero.hand import Motion
from ambidex.scripted_policies.libero.planning.grasps import TIP
from ambidex.scripted_policies.libero.planning.pick import PickPlanner, PlanningMargins

DISTANCES = (0.03, 0.05, 0.075, 0.1)  # of a push [m]
MAX_TILT = 0.45  # of an object from standing or lying flat, so that it can be pushed along its own sides [rad]
FINGER, BOTH_FINGERS = 0.011, 0.017  # half the size of the closed fingers in the direction of the push [m]
SHORTFALL = 0.006  # by which a push may end early [m]
GAP = 0.008  # between fingers and object, where the hand comes down [m]
MAX_TIP_HEIGHT = 0.02  # of the tips above what the object stands on [m]
OVERLAP = 0.006  # of the tips below the object's top, at least [m]
ABOVE = 0.08  # from where the hand comes down [m]
RAISED = 0.002  # of the object above its support, while its way is checked [m]
SUPPORTED = 0.006  # how far below the object there has to be a support [m]
WAY_STOPS, LINE_STOPS = 4, 5  # checked on the way of the object, and on the line of the hand to its start
TILTS = (0.2, 0.4, 0.75)  # of a hand that leans over the object [rad]
CLOSED_GAP = 0.0  # of the fingers [m]

SLIDE_RAISED = 0.004  # of the plate above the table [m]
SHARES = (0.0, 0.4, -0.4, 0.7, -0.7)  # of the region's half size, tried as goals of the plate
MAX_SLIDE_GRASPS = 4


class PushAway:
    """Pushes an object that no grasp fits around away from its neighbours, with closed fingers.

    The object is the first argument of the goal atom; it is pushed to where it can be grasped and placed.
    """

    def __init__(self, context: SkillContext, atom: Atom) -> None:
        self._context, self._obj, self._planner = context, atom.arguments[0], PickPlanner(context, atom)

    def motion(self) -> Motion:
        """One push; true if there was one. The object still has to be picked up afterwards."""
        context, hand = self._context, self._context.hand
        context.collisions.sync()
        margins = (PlanningMargins(), PlanningMargins(cautious=False))
        push = next(itertools.chain.from_iterable(map(self._pushes, margins)), None)
        if push is None:
            return False
        start, way = push
        yield from hand.follow(context.empty_route(start.shifted((0.0, 0.0, ABOVE))), exact=True)
        yield from hand.close()
        yield from hand.move_to(start, speed=0.7)
        gap = GAP / float(np.linalg.norm(way)) * way
        yield from hand.move_to(start.shifted(way + gap), speed=0.4)
        back = start.shifted(way - gap)
        yield from hand.move_to(back, tolerance=0.01)
        yield from hand.move_to(back.shifted((0.0, 0.0, ABOVE)), tolerance=0.02)
        return True

    def _pushes(self, margins: PlanningMargins) -> Iterator[tuple[Pose, FloatArray]]:
        """Poses of the hand behind the object and ways (3,) [m] after which it can be picked up, shorter ones first."""
        pose = self._context.pose_of(self._obj)
        if angle_between(pose, Pose(pose.position, stance_of(pose.quaternion).quaternion)) > MAX_TILT:
            return
        for distance, direction in itertools.product(DISTANCES, self._directions(pose)):
            way = distance * direction
            self._context.collisions.sync()  # so that each push has the whole budget of the search
            if not self._is_way_free(pose, way):
                continue
            starts = self._starts(pose, direction)
            start = next((tool for tool in starts if self._can_push(tool, pose, way, margins)), None)
            ends = (pose.shifted(share * way) for share in (1.0, 1.0 - SHORTFALL / distance))
            if start is not None and all(self._can_be_placed(end, margins) for end in ends):
                yield start, way

    def _directions(self, pose: Pose) -> list[FloatArray]:
        """Along the object's sides, the longer one first."""
        size = object_properties(self._context.category(self._obj)).size
        sides = (index for index in range(3) if index != stance_of(pose.quaternion).up % 3)
        axes = sorted(((size[index], pose.axis(index)) for index in sides), key=lambda option: -option[0])
        level = [axis * [1.0, 1.0, 0.0] / np.hypot(*axis[:2]) for _, axis in axes]
        return [sign * axis for axis in level for sign in (1.0, -1.0)]

    def _is_way_free(self, pose: Pose, way: FloatArray) -> bool:
        """Whether the object hits nothing on its way, and stands on something at the end."""
        collides, shares = self._context.collisions.object_collides, np.arange(1, WAY_STOPS + 1) / WAY_STOPS
        stops = [pose.shifted(share * way + [0.0, 0.0, RAISED]) for share in shares]
        below = pose.shifted(way - [0.0, 0.0, SUPPORTED])
        return not any(collides(self._obj, stop) for stop in stops) and collides(self._obj, below)

    def _starts(self, pose: Pose, direction: FloatArray) -> Iterator[Pose]:
        """Poses of the hand behind the object, low, its long side across the push or along it."""
        category = self._context.category(self._obj)
        corners = box_corners(category, pose.quaternion)
        properties = object_properties(category)
        middle = pose @ Pose.at((*properties.foot, float(properties.centre[2])))
        behind = float((corners @ direction).min()) + float((pose.position - middle.position) @ direction)
        above_tip = max(OVERLAP, float(np.ptp(corners[:, 2])) - MAX_TIP_HEIGHT)
        height = float(np.ptp(corners[:, 2])) - above_tip
        position = middle.position + (behind - FINGER - GAP) * direction
        position[2] = pose.position[2] + float(corners[:, 2].min()) + height + TIP
        across = np.cross((0.0, 0.0, 1.0), direction)
        yield from tool_poses(position, DOWN, across)
        yield from tool_poses(position - (BOTH_FINGERS - FINGER) * direction, DOWN, direction)
        for tilt in TILTS:
            # The palm is over the object and not over what is behind it. The fingers touch the object's upper edge.
            tips = position - above_tip * math.tan(tilt) * direction
            approach = math.cos(tilt) * np.array(DOWN) - math.sin(tilt) * direction
            yield from tool_poses(tips, approach, across)

    def _can_push(self, start: Pose, pose: Pose, way: FloatArray, margins: PlanningMargins) -> bool:
        """Whether the hand can come down behind the object, and the arm reaches the end of the push."""
        context = self._context
        above = start.shifted((0.0, 0.0, ABOVE))
        joints = context.reach.joints_on_line(context.posture(), above, LINE_STOPS)
        stops = [(above, pose), (start, pose)]
        stops += [(start.shifted(part), pose.shifted(part)) for part in (way / 2, way)]
        for tool, moved in stops:
            if joints is None:
                return False
            context.collisions.place(self._obj, moved)
            pushed = None if moved is pose else self._obj
            joints = context.reach.free_joints_at(
                tool, joints, CLOSED_GAP, continuous=True, carried=pushed, cautious=margins.cautious
            )
        return joints is not None

    def _can_be_placed(self, pose: Pose, margins: PlanningMargins) -> bool:
        """Whether there is a grasp of the object at a pose that can bring it to its placement."""
        plan = next(self._planner.plans(margins, pose), None)
        return plan is not None and plan.placement is not None


class Slide(Skill):
    """Slides a plate over the table, which pushes aside what is in the way."""

    def motion(self, attempt: int) -> Motion:
        """Grasp the edge, slide, let go."""
        context, hand, plate = self._context, self._hand, self._subgoal.target
        pose = context.pose_of(plate)
        context.collisions.sync()
        goal = Pose(self._goal(pose), pose.quaternion)
        tools = list(itertools.islice(PickPlanner(context, self._atom).slide_grasps(goal), MAX_SLIDE_GRASPS))
        if not tools:
            return (yield from self._fail())
        tool = tools[attempt % len(tools)]
        grip = pose.inverse() @ tool
        yield from self._grasp(context.jittered(tool), pregrasp_pose(tool), speed=0.7)
        yield from hand.move_to(goal.shifted((0.0, 0.0, SLIDE_RAISED)) @ grip, speed=0.7)
        yield from hand.move_to(goal @ grip, speed=0.5)
        yield from hand.open()
        yield from hand.move_to(pregrasp_pose(hand.tool_pose), tolerance=0.02, angle_tolerance=1.0)
        return True

    def _goal(self, pose: Pose) -> FloatArray:
        """The position in the region that is furthest from other objects, (3,) [m]."""
        context, plate = self._context, self._subgoal.target
        (frame, *_) = context.frames(self._atom.arguments[1])
        others = [context.pose_of(obj).position for obj in context.task.problem.objects if obj != plate]
        goals = [frame.position + frame.half_size * [x, y, 0.0] for x, y in itertools.product(SHARES, SHARES)]
        best = max(goals, key=lambda goal: min((float(np.hypot(*(goal - o)[:2])) for o in others), default=0.0))
        return np.array([*best[:2], pose.position[2]])
