"""Opens a drawer by its handle, and pushes one shut."""

import math
from collections.abc import Iterator

import numpy as np

from ambidex.envs.pose import Pose
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.articulation import Articulation
from ambidex.scripted_policies.libero.grasps import TIP
from ambidex.scripted_policies.libero.hand import CLOSE, OPEN, Motion
from ambidex.scripted_policies.libero.job import Job, Work
from ambidex.scripted_policies.libero.pick_plan import both_ways
from ambidex.scripted_policies.libero.tool_frame import DOWN, advanced, pointing
from ambidex.scripted_policies.libero.workplace import Workplace

PULLED = -0.158  # where the drawer is pulled to [m]
DONE_OPEN, DONE_SHUT = -0.15, 0.003  # [m]
SHUT = 0.016  # where it is pushed to, beyond its stop [m]
BACK = 0.07  # [m]
TILTS = tuple(math.radians(angle) for angle in (45, 60, 75, 30, 90, 15, 0))  # of the hand from straight down
GRIP_OPENING = 0.05  # [m]
BESIDE = (0.055, -0.055, 0.075, -0.075, 0.0)  # from the handle's middle, where the front is pushed [m]
FRONT = 0.0223  # from the handle's middle back to the front [m]
GAP = 0.004  # of a hand that holds the bar [m]


class Drawer:
    """The skill, for one job."""

    def __init__(self, work: Workplace, job: Job) -> None:
        self._work = work
        self._drawer = Articulation(work.scene, job.thing)
        self._handle = f"{job.thing.removesuffix('_level')}_handle"
        self._opens = job.work is Work.OPEN

    def motion(self, attempt: int) -> Motion:
        """Pull or push; true if the drawer is where it should be."""
        self._work.probe.renew()
        tools = list(self._pulling() if self._opens else self._pushing())
        if not tools:
            return (yield from self._work.hand.pause(10, until=lambda: False))
        tool = tools[attempt % len(tools)]
        yield from self._pull(tool) if self._opens else self._push(tool)
        return self._done()

    def _pull(self, tool: Pose) -> Motion:
        work, hand = self._work, self._work.hand
        yield from hand.follow(work.way(advanced(tool, -BACK), TIP + 0.03, 0.06))
        yield from hand.open()
        yield from hand.reach(tool, speed=0.6)
        yield from hand.close()
        if hand.gap() > GAP:
            start = hand.tool()
            goal = self._drawer.carried(start, PULLED - self._drawer.position)
            yield from hand.reach(goal, speed=0.6, until=self._done)
        yield from hand.open()
        return (yield from self._leave())

    def _push(self, tool: Pose) -> Motion:
        work, hand = self._work, self._work.hand
        hand.grip = CLOSE
        before = tool.shifted(-0.05 * self._drawer.axis)
        yield from hand.follow(work.way(before, TIP + 0.03, 0.06))
        goal = self._drawer.carried(tool, SHUT - self._drawer.position)
        yield from hand.reach(goal, speed=0.8, until=self._done, timeout=60)
        yield from self._leave()
        hand.grip = OPEN
        return True

    def _leave(self) -> Motion:
        hand = self._work.hand
        away = advanced(hand.tool(), -BACK)
        return (yield from hand.reach(away, tolerance=0.02, turn_tolerance=1.0))

    def _done(self) -> bool:
        position = self._drawer.position
        return position < DONE_OPEN if self._opens else position > DONE_SHUT

    def _pulling(self) -> Iterator[Pose]:
        """Hands around the bar that can come there and pull."""
        centre = self._work.scene.site_pose(self._handle)
        inwards = self._drawer.axis
        for tilt in TILTS:
            approach = math.cos(tilt) * np.array(DOWN) + math.sin(tilt) * inwards
            closing = math.cos(tilt) * inwards - math.sin(tilt) * np.array(DOWN)
            for tool in both_ways(Pose(centre.position, pointing(approach, closing))):
                if self._clear(tool, GRIP_OPENING, PULLED):
                    yield tool

    def _pushing(self) -> Iterator[Pose]:
        """Closed hands at the front that can push it shut."""
        handle = self._work.scene.site_pose(self._handle)
        inwards = self._drawer.axis
        for tilt in TILTS[:4]:
            approach = math.cos(tilt) * np.array(DOWN) + math.sin(tilt) * inwards
            for beside in BESIDE:
                touch = handle.position + beside * handle.axis(0) + (FRONT if beside else -0.0035) * inwards
                tip: FloatArray = touch - (TIP + 0.011 * math.cos(tilt)) * approach
                for tool in both_ways(Pose(tip - 0.004 * inwards, pointing(approach, handle.axis(0)))):
                    if self._clear(tool, 0.0, SHUT - 0.008):
                        yield tool

    def _clear(self, tool: Pose, opening: float, end: float) -> bool:
        """Whether the hand comes there, and on to where the joint is at `end` [m], touching nothing else."""
        work, probe = self._work, self._work.probe
        probe.turn(self._drawer.joint, self._drawer.position)
        start = work.reach.joints(advanced(tool, -BACK), work.joints())
        at = None if start is None else work.reach.joints(tool, start)
        if start is None or at is None or probe.collides(start, opening) or probe.collides(at, opening):
            return False
        moved = work.reach.joints(self._drawer.carried(tool, end - self._drawer.position), at)
        probe.turn(self._drawer.joint, min(end, 0.01))
        return moved is not None and not probe.collides(moved, opening)
