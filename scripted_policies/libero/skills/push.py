"""Pushes a thing that no hand gets around away from its neighbours, with closed fingers."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ambidex.envs.objects.properties import object_properties
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.tasks.libero.bddl.problem import Atom
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.context import Workplace
from ambidex.scripted_policies.libero.geometry import DOWN, before, both_ways, corners_of, pointing, poses_between
from ambidex.scripted_policies.libero.hand import Motion
from ambidex.scripted_policies.libero.planning.grasps import TIP
from ambidex.scripted_policies.libero.planning.pick import Strictness
from ambidex.scripted_policies.libero.subgoals import Job

DISTANCES = (0.03, 0.05, 0.075, 0.1)  # of a push [m]
STRAIGHT = 0.9  # z of the upward axis of a thing that is pushed along its own sides
FINGER, BOTH = 0.011, 0.017  # half of the closed fingers in the direction of the push, side by side and in a row [m]
SHORT = 0.006  # by which a push may end short [m]
GAP = 0.008  # between fingers and thing, where the hand comes down [m]
LOW = 0.02  # of the tips above what the thing stands on, at most [m]
OVERLAP = 0.006  # of the tips below the thing's top, at least [m]
ABOVE = 0.08  # from where the hand comes down [m]
AFLOAT = 0.002  # of a thing above what it stands on, while its way is looked at [m]
SUPPORTED = 0.006  # further down it has to touch something [m]
STOPS = 4  # on the way that are looked at
TILTS = (0.4, 0.75)  # of a hand that leans over the thing [rad]
WAYPOINTS = 5  # from where the hand is to where it comes down
SHUT = 0.0  # opening of closed fingers [m]


@dataclass(frozen=True, eq=False)
class Push:
    """A push.

    Attributes:
        start: The hand behind the thing.
        way: Where to, from there, shape (3,) [m].
    """

    start: Pose
    way: FloatArray


class Nudge:
    """The skill, for what a goal atom puts somewhere."""

    def __init__(self, work: Workplace, atom: Atom) -> None:
        self._work, self._atom, self._thing = work, atom, atom.arguments[0]

    def motion(self) -> Motion:
        """One push; true if there was room for one. The thing has to be taken afterwards."""
        work, hand = self._work, self._work.hand
        push = self._push()
        if push is None:
            return False
        above = push.start.shifted((0.0, 0.0, ABOVE))
        yield from hand.follow(work.free_way(above), exact=True)
        yield from hand.close()
        yield from hand.reach(push.start, speed=0.7)
        ahead = GAP / float(np.linalg.norm(push.way)) * push.way
        yield from hand.reach(push.start.shifted(push.way + ahead), speed=0.4)
        back = push.start.shifted(push.way - ahead)
        yield from hand.reach(back, tolerance=0.01)
        yield from hand.reach(back.shifted((0.0, 0.0, ABOVE)), tolerance=0.02)
        return True

    def _push(self) -> Push | None:
        """A push that keeps clear of everything, or if there is none one that is near something."""
        self._work.probe.renew()
        for strictness in (Strictness(), Strictness(cautious=False)):
            if (push := next(self._pushes(strictness), None)) is not None:
                return push
        return None

    def _pushes(self, strictness: Strictness) -> Iterator[Push]:
        """Pushes after which the thing can be taken, shorter ones first."""
        pose = self._work.pose_of(self._thing)
        if abs(pose.axis(2)[2]) < STRAIGHT:
            return
        for distance, direction in itertools.product(DISTANCES, self._directions(pose)):
            way = distance * direction
            if not self._is_free(pose, way):
                continue
            starts = self._starts(pose, direction)
            start = next((tool for tool in starts if self._can_push(tool, pose, way, strictness)), None)
            ends = (pose.shifted(part * way) for part in _ends(distance))
            if start is not None and all(self._can_be_taken(end, strictness) for end in ends):
                yield Push(start, way)

    def _directions(self, pose: Pose) -> list[FloatArray]:
        """Along the thing's sides, the longer one first."""
        x, y = object_properties(self._work.category(self._thing)).size[:2]
        axes = sorted(((x, pose.axis(0)), (y, pose.axis(1))), key=lambda option: -option[0])
        level = [axis * [1.0, 1.0, 0.0] / np.hypot(*axis[:2]) for _, axis in axes]
        return [sign * axis for axis in level for sign in (1.0, -1.0)]

    def _is_free(self, pose: Pose, way: FloatArray) -> bool:
        """Whether the thing meets nothing on its way, and stands on something in the end."""
        probe, thing = self._work.probe, self._thing
        stops = [pose.shifted(share * way + [0.0, 0.0, AFLOAT]) for share in np.arange(1, STOPS + 1) / STOPS]
        below = pose.shifted(way - [0.0, 0.0, SUPPORTED])
        return not any(probe.touches(thing, stop) for stop in stops) and probe.touches(thing, below)

    def _starts(self, pose: Pose, direction: FloatArray) -> Iterator[Pose]:
        """The hand behind the thing, low, its long side across the push or along it."""
        category = self._work.category(self._thing)
        corners = corners_of(category, pose.quaternion)
        middle = pose @ Pose.at(tuple(object_properties(category).centre))
        behind = float((corners @ direction).min()) + float((pose.position - middle.position) @ direction)
        height = min(float(np.ptp(corners[:, 2])) - OVERLAP, LOW)
        spot = middle.position + (behind - FINGER - GAP) * direction
        spot[2] = pose.position[2] + float(corners[:, 2].min()) + height + TIP
        across = np.cross((0.0, 0.0, 1.0), direction)
        yield from both_ways(Pose(spot, pointing(DOWN, across)))
        yield from both_ways(Pose(spot - (BOTH - FINGER) * direction, pointing(DOWN, direction)))
        for tilt in TILTS:
            # The palm over the thing and not over what is behind it.
            approach = math.cos(tilt) * np.array(DOWN) - math.sin(tilt) * direction
            yield from both_ways(Pose(spot, pointing(approach, across)))

    def _can_push(self, start: Pose, pose: Pose, way: FloatArray, strictness: Strictness) -> bool:
        """Whether the hand comes down behind the thing, and the arm gets to the end of the push."""
        work = self._work
        above = start.shifted((0.0, 0.0, ABOVE))
        joints = self._led(above)
        for tool, moved in (
            (above, pose),
            (start, pose),
            (start.shifted(way / 2), pose.shifted(way / 2)),
            (start.shifted(way), pose.shifted(way)),
        ):
            joints = None if joints is None else work.reach.joints(tool, joints, continuous=True)
            work.probe.place(self._thing, moved)
            pushed = None if moved is pose else self._thing
            cautious = strictness.cautious
            if joints is None or work.probe.collides(joints, SHUT, carried=pushed, cautious=cautious):
                return False
        return True

    def _led(self, above: Pose) -> FloatArray | None:
        """Joints (7,) that the arm's control comes to on the straight way; None if a joint's limit ends it before."""
        work = self._work
        return work.reach.along(poses_between(work.hand.tool(), above, WAYPOINTS), work.joints())

    def _can_be_taken(self, moved: Pose, strictness: Strictness) -> bool:
        """Whether there is a grasp of the thing that can bring it to its place."""
        work = self._work
        category, here, joints = work.category(self._thing), work.hand.tool(), work.joints()
        plan = next(work.pick_plan.plans(self._atom, moved, category, here, joints, strictness), None)
        return plan is not None and plan.place is not None


def _ends(distance: float) -> tuple[float, float]:
    """Shares of a push [m] after which a thing has to be free, as it may end short."""
    return 1.0, 1.0 - SHORT / distance


# FOLDED scripted_policies.libero.slide: Slides a plate over the table to where a goal atom wants it, pushing aside what lies in the way.

RAISED = 0.004  # above the table while it slides [m]
SHARES = (0.0, 0.4, -0.4, 0.7, -0.7)  # of the region's half size


class Slide:
    """The skill, for one job."""

    def __init__(self, work: Workplace, job: Job) -> None:
        self._work = work
        self._atom, self._thing = job.atom, job.thing

    def motion(self, attempt: int) -> Motion:
        """Grip the edge, slide, let go."""
        work, hand = self._work, self._work.hand
        plate = work.pose_of(self._thing)
        work.probe.renew()
        goal = Pose(self._goal(plate), plate.quaternion)
        tools = list(itertools.islice(work.pick_plan.sliding(self._thing, plate, goal, hand.tool(), work.joints()), 4))
        if not tools:
            return (yield from hand.pause(10, until=lambda: False))
        tool = tools[attempt % len(tools)]
        grip = plate.inverse() @ tool
        yield from hand.follow(work.free_way(before(tool)))
        yield from hand.open()
        yield from hand.reach(work.jittered(tool), speed=0.7)
        yield from hand.close()
        yield from hand.reach(goal.shifted((0.0, 0.0, RAISED)) @ grip, speed=0.7)
        yield from hand.reach(goal @ grip, speed=0.5)
        yield from hand.open()
        yield from hand.reach(before(hand.tool()), tolerance=0.02, turn_tolerance=1.0)
        return True

    def _goal(self, plate: Pose) -> FloatArray:
        """The spot of the region with most room around it, (3,) [m]."""
        (frame, *_) = self._work.frames(self._atom.arguments[1])
        others = [
            self._work.pose_of(thing).position for thing in self._work.task.problem.objects if thing != self._thing
        ]
        spots = [frame.position + frame.half_size * [x, y, 0.0] for x, y in itertools.product(SHARES, SHARES)]
        best = max(spots, key=lambda spot: min((float(np.hypot(*(spot - o)[:2])) for o in others), default=0.0))
        return np.array([*best[:2], plate.position[2]])
