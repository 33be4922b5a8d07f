"""The skill `Door`: opens the microwave's door by its handle, and pushes it open further or shut."""

import itertools
import math
from collections.abc import Iterator

import numpy as np

from ambidex.envs.simulation.pose import Pose
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.context import Skill, SkillContext
from ambidex.scripted_policies.libero.geometry import DOWN, FixtureJoint, advanced, poses_between, tool_poses
from ambidex.scripted_policies.libero.hand import CLOSE, OPEN, Motion
from ambidex.scripted_policies.libero.subgoals import Subgoal, SubgoalKind

WIDE, SHUT = -1.75, 0.06  # position to push the door to, the latter beyond its stop [rad]
DONE_OPEN, DONE_SHUT = -1.5, -0.003  # [rad]
AJAR = -0.3  # position from which the hand gets behind the door and pushes [rad]
PULLED = -1.0  # position to pull the door to by its handle, before that [rad]
DONE_PULLED = 0.9 * PULLED  # from which the handle can be let go [rad]
OUTSIDE, INSIDE = 0.0455, 0.068  # from the bar's middle to the door's outer face, and behind its inner one [m]
BESIDE = (-0.035, -0.06)  # from the bar towards the hinge, where the door is pushed [m]
OVER_BAR = 0.012  # of a pushing tool above the bar's upper end: the finger tips, TIP lower, just clear the bar [m]
OFF, ABOVE = 0.03, 0.08  # from the door and up, where a pushing hand comes from; OFF is also its retreat [m]
LEAD = 0.22  # how far the hand aims ahead of the door [rad]
BACK = 0.08  # along the hand, where it comes from and retreats to [m]
BELOW_TOP = 0.025  # of a pulling hand below the bar's upper end [m]
MIN_HELD_GAP = 0.006  # of a hand that holds the bar [m]
PULL_GAP = 0.07  # of the fingers around the bar [m]
SWING_STEPS = 140  # at most; a swing ends earlier when the door is where it should be
SHARES = np.linspace(0.2, 1.0, 5)  # of a swing, at which reach is checked
STOPS = 4  # checked on each leg of the route to the door
TILTS = (0.0, 0.3, -0.3, 0.6)  # of the hand towards the door, from straight down
FINGER = 0.0235  # from the middle of the closed fingers to their far corner [m]


class Door(Skill):
    """Opens or closes one door."""

    def __init__(self, context: SkillContext, subgoal: Subgoal) -> None:
        super().__init__(context, subgoal)
        self._joint = FixtureJoint(context.scene, subgoal.target)
        self._handle = f"{subgoal.target.removesuffix('_microjoint')}_door_handle"
        self._opens = subgoal.kind is SubgoalKind.OPEN
        self._pulls = False

    def motion(self, attempt: int) -> Motion:
        """Swing the door; true if it is where it should be."""
        self._context.collisions.sync()
        self._pulls = self._opens and self._joint.position > AJAR
        tools = self._reachable_tools(direct=True) or self._reachable_tools(direct=False)
        if not tools:
            return (yield from self._fail())
        tool = tools[attempt % len(tools)]
        yield from self._pull(tool) if self._pulls else self._push(tool)
        return self._is_done()

    def _reachable_tools(self, *, direct: bool) -> list[Pose]:
        """Poses of the hand from which it can swing the door; `direct`: reached straight from its present posture."""
        gap, end = (PULL_GAP, PULLED) if self._pulls else (0.0, WIDE if self._opens else 0.0)
        tools = self._pulling_tools() if self._pulls else self._pushing_tools()
        return [tool for tool in tools if self._can_swing(tool, gap, end, direct)]

    def _pull(self, tool: Pose) -> Motion:
        hand = self._hand
        yield from self._grasp(tool, advanced(tool, -BACK), speed=0.6)
        if hand.gap() > MIN_HELD_GAP:
            yield from self._swing(tool, PULLED, -LEAD)
        return (yield from hand.release(BACK))

    def _push(self, tool: Pose) -> Motion:
        hand = self._hand
        hand.grip = CLOSE
        before = tool.shifted(OFF * self._away() + [0.0, 0.0, ABOVE])
        yield from hand.follow(self._context.empty_route(before))
        yield from hand.move_to(tool, speed=0.6, tolerance=0.01)
        end, lead = (WIDE, -LEAD) if self._opens else (SHUT, LEAD)
        yield from self._swing(tool, end, lead)
        yield from hand.move_to(hand.tool_pose.shifted(OFF * self._away()), tolerance=0.02)
        hand.grip = OPEN
        return (yield from hand.retreat(BACK))

    def _swing(self, tool: Pose, end: float, lead: float) -> Motion:
        """Follow the door's arc, a little ahead of it."""
        start = self._joint.position

        def target() -> Pose:
            ahead = self._joint.position + lead
            return self._moved(tool, start, max(ahead, end) if lead < 0 else min(ahead, end))

        return (yield from self._hand.move_to(target, until=self._is_done, speed=0.8, timeout=SWING_STEPS))

    def _moved(self, tool: Pose, start: float, position: float) -> Pose:
        """The hand after the door has moved from one joint position to another; only a pulling hand turns with it."""
        moved = self._joint.moved(tool, position - start)
        return moved if self._pulls else Pose(moved.position, tool.quaternion)

    def _is_done(self) -> bool:
        position = self._joint.position
        if self._pulls:
            return position < DONE_PULLED
        return position < DONE_OPEN if self._opens else position > DONE_SHUT

    def _away(self) -> FloatArray:
        """Direction (3,) from the door to a pushing hand: inwards to open it, outwards to close it."""
        inwards = self._context.scene.site_pose(self._handle).axis(1)
        return inwards if self._opens else np.asarray(-inwards)

    def _pulling_tools(self) -> Iterator[Pose]:
        """Poses of the hand around the bar."""
        bar, half_length = self._bar()
        position = bar.position + (half_length - BELOW_TOP) * bar.axis(2)
        for tilt in TILTS:
            yield from tool_poses(position, np.array(DOWN) + tilt * bar.axis(1), bar.axis(0))

    def _pushing_tools(self) -> Iterator[Pose]:
        """Poses of the closed hand at the door's face."""
        bar, half_length = self._bar()
        # The hand is thin across the door as it is now, or as it will be when shut.
        face = bar if self._opens else self._joint.moved(bar, -self._joint.position)
        out = FINGER + INSIDE if self._opens else OUTSIDE - FINGER
        for tilt, along in itertools.product(TILTS, BESIDE):
            level = bar.position + along * bar.axis(0) + out * bar.axis(1)
            approach = np.array(DOWN) + math.tan(tilt) * face.axis(1)
            yield from tool_poses(level + (half_length + OVER_BAR) * bar.axis(2), approach, face.axis(0))

    def _bar(self) -> tuple[Pose, float]:
        """Pose of the handle's bar, and half its length [m]."""
        scene = self._context.scene
        return scene.site_pose(self._handle), float(scene.model.site(self._handle).size[2])

    def _can_swing(self, tool: Pose, gap: float, end: float, direct: bool) -> bool:
        """Whether the hand gets there without collision, and on to where the door is at `end` [rad]."""
        context, reach, start = self._context, self._context.reach, self._joint.position
        # Behind a door that is ajar there is no room for a margin.
        cautious = self._pulls or not self._opens
        context.collisions.set_joint(self._joint.name, start)
        above = advanced(tool, -BACK)
        near = self._joints_along_route(above) if direct else reach.joints_at(above, context.posture().joints)
        joints = None
        if near is not None:
            joints = reach.free_joints_at(tool, near, gap, continuous=True, cautious=cautious)
        swing = [self._moved(tool, start, start + share * (end - start)) for share in SHARES]
        return joints is not None and reach.joints_along(swing, joints) is not None

    def _joints_along_route(self, tool: Pose) -> FloatArray | None:
        """Joints (7,) to which the controller brings the arm on its route; None if a joint limit stops it."""
        start = self._context.posture()
        legs = itertools.pairwise([start.tool, *self._context.empty_route(tool)])
        stops = [pose for first, last in legs for pose in poses_between(first, last, STOPS)]
        return self._context.reach.joints_along(stops, start.joints)
