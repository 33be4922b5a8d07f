"""Opens the microwave's door by its handle, and pushes it shut."""

import itertools
import math
from collections.abc import Iterator

import numpy as np

from ambidex.envs.simulation.pose import Pose
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.context import Workplace
from ambidex.scripted_policies.libero.geometry import DOWN, Articulation, advanced, both_ways, pointing, poses_between
from ambidex.scripted_policies.libero.hand import CLOSE, OPEN, Motion
from ambidex.scripted_policies.libero.subgoals import Job, Work

WIDE, SHUT = -1.75, 0.06  # where the door is swung to, the latter beyond its stop [rad]
DONE_OPEN, DONE_SHUT = -1.5, -0.003  # [rad]
AJAR = -0.3  # from which the hand gets behind the door and pushes [rad]
FIRST = -1.0  # where it is pulled to by its handle, before that [rad]
ENOUGH = 0.9  # of the way to FIRST, from which the handle can be let go
OUTSIDE, INSIDE = 0.0455, 0.068  # from the bar's middle to the door's outer face, and behind its inner one [m]
BESIDE = (-0.035, -0.06)  # from the bar towards the hinge, where the door is pushed [m]
OVER_BAR = 0.012  # of a pushing tool above the bar's upper end: the finger tips, TIP lower, just clear the bar [m]
OFF, ABOVE = 0.03, 0.08  # from where the hand comes to push, off the door and up, and how far off it goes after [m]
LEAD = 0.22  # how far ahead of the door the hand aims [rad]
BACK = 0.08  # [m]
BELOW_TOP = 0.025  # of the bar [m]
GAP = 0.006  # of a hand that holds the bar [m]
AROUND = 0.07  # opening of the fingers that has to fit around the bar [m]
SWING_STEPS = 140  # at most, for a swing, which ends before when the door is where it should be
SHARES = np.linspace(0.2, 1.0, 5)  # of a swing, at which the arm's reach is looked at
STOPS = 4  # on each leg of the way to the door that are looked at
TILTS = (0.0, 0.3, -0.3, 0.6)  # of the hand, towards the door
FINGER = 0.0235  # from the middle of the closed fingers to their far corner [m]


class Door:
    """The skill, for one job."""

    def __init__(self, work: Workplace, job: Job) -> None:
        self._work = work
        self._door = Articulation(work.scene, job.thing)
        self._handle = f"{job.thing.removesuffix('_microjoint')}_door_handle"
        self._opens = job.work is Work.OPEN
        self._pulls = False

    def motion(self, attempt: int) -> Motion:
        """Swing the door; true if it is where it should be."""
        self._work.probe.renew()
        self._pulls = self._opens and self._door.position > AJAR
        tools = self._tools(led=True) or self._tools(led=False)
        if not tools:
            return (yield from self._work.hand.pause(10, until=lambda: False))
        tool = tools[attempt % len(tools)]
        yield from self._pull(tool) if self._pulls else self._push(tool)
        return self._done()

    def _tools(self, *, led: bool) -> list[Pose]:
        """Hands that can come there and swing the door; `led`: from the arm's present posture."""
        opening, end = (AROUND, FIRST) if self._pulls else (0.0, WIDE if self._opens else 0.0)
        tools = self._pulling() if self._pulls else self._pushing()
        return [tool for tool in tools if self._clear(tool, opening, end, led)]

    def _pull(self, tool: Pose) -> Motion:
        work, hand = self._work, self._work.hand
        yield from hand.follow(work.free_way(advanced(tool, -BACK)))
        yield from hand.open()
        yield from hand.reach(tool, speed=0.6)
        yield from hand.close()
        if hand.gap() > GAP:
            yield from self._swing(tool, FIRST, -LEAD)
        yield from hand.open()
        return (yield from self._leave())

    def _push(self, tool: Pose) -> Motion:
        work, hand = self._work, self._work.hand
        hand.grip = CLOSE
        away = self._outwards() if not self._opens else -self._outwards()
        before = tool.shifted(OFF * away + [0.0, 0.0, ABOVE])
        yield from hand.follow(work.free_way(before))
        yield from hand.reach(tool, speed=0.6, tolerance=0.01)
        end, lead = (WIDE, -LEAD) if self._opens else (SHUT, LEAD)
        yield from self._swing(tool, end, lead)
        away = self._outwards() if not self._opens else -self._outwards()
        yield from hand.reach(hand.tool().shifted(OFF * away), tolerance=0.02)
        hand.grip = OPEN
        return (yield from self._leave())

    def _swing(self, tool: Pose, end: float, lead: float) -> Motion:
        """Follow the door's arc, a little ahead of it."""
        began = self._door.position

        def target() -> Pose:
            return self._carried_from(tool, began, self._ahead(end, lead))

        return (yield from self._work.hand.reach(target, until=self._done, speed=0.8, timeout=SWING_STEPS))

    def _ahead(self, end: float, lead: float) -> float:
        ahead = self._door.position + lead
        return max(ahead, end) if lead < 0 else min(ahead, end)

    def _carried_from(self, tool: Pose, began: float, position: float) -> Pose:
        moved = self._door.carried(tool, position - began)
        return moved if self._pulls else Pose(moved.position, tool.quaternion)

    def _leave(self) -> Motion:
        hand = self._work.hand
        return (yield from hand.reach(advanced(hand.tool(), -BACK), tolerance=0.02, turn_tolerance=1.0))

    def _done(self) -> bool:
        position = self._door.position
        if self._pulls:
            return position < ENOUGH * FIRST
        return position < DONE_OPEN if self._opens else position > DONE_SHUT

    def _outwards(self) -> FloatArray:
        """Out of the door's front, in the world."""
        return np.asarray(-self._work.scene.site_pose(self._handle).axis(1))

    def _pulling(self) -> Iterator[Pose]:
        """Hands around the bar."""
        work = self._work
        bar = work.scene.site_pose(self._handle)
        half = float(work.scene.model.site(self._handle).size[2])
        spot = bar.position + (half - BELOW_TOP) * bar.axis(2)
        for tilt in TILTS:
            approach = np.array(DOWN) + tilt * bar.axis(1)
            yield from both_ways(Pose(spot, pointing(approach, bar.axis(0))))

    def _pushing(self) -> Iterator[Pose]:
        """Closed hands at the door's face."""
        work = self._work
        bar = work.scene.site_pose(self._handle)
        half = float(work.scene.model.site(self._handle).size[2])
        # Thin across the door: as it will be when shut, or as it is now.
        closed = bar if self._opens else self._door.carried(bar, -self._door.position)
        for tilt in TILTS:
            for along in BESIDE:
                out = FINGER + INSIDE if self._opens else OUTSIDE - FINGER
                spot = bar.position + along * bar.axis(0) + out * bar.axis(1) + (half + OVER_BAR) * bar.axis(2)
                approach = np.array(DOWN) + math.tan(tilt) * closed.axis(1)
                yield from both_ways(Pose(spot, pointing(approach, closed.axis(0))))

    def _clear(self, tool: Pose, opening: float, end: float, led: bool) -> bool:
        """Whether the hand comes there, and on to where the door is at `end` [rad], touching nothing."""
        work, probe = self._work, self._work.probe
        # Behind a door that is ajar there is no room for a margin.
        cautious = self._pulls or not self._opens
        probe.turn(self._door.joint, self._door.position)
        above = advanced(tool, -BACK)
        start = self._led(above) if led else work.reach.joints(above, work.joints())
        at = None if start is None else work.reach.joints(tool, start, continuous=True)
        if at is None or probe.collides(at, opening, cautious=cautious):
            return False
        began = self._door.position
        return (
            work.reach.along([self._carried_from(tool, began, began + s * (end - began)) for s in SHARES], at)
            is not None
        )

    def _led(self, tool: Pose) -> FloatArray | None:
        """Joints (7,) that the arm's control comes to on the way; None if a joint's limit ends it before."""
        work = self._work
        stops = [work.hand.tool(), *work.free_way(tool)]
        return work.reach.along(
            [pose for start, end in itertools.pairwise(stops) for pose in poses_between(start, end, STOPS)],
            work.joints(),
        )
