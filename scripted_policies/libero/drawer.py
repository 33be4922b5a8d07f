"""Opens a drawer by its handle, and pushes one shut."""

import itertools
import math
from collections.abc import Iterator

import numpy as np

from ambidex.envs.pose import Pose
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.articulation import Articulation
from ambidex.scripted_policies.libero.grasps import TIP
from ambidex.scripted_policies.libero.hand import CLOSE, OPEN, Motion
from ambidex.scripted_policies.libero.job import Job, Work
from ambidex.scripted_policies.libero.pick_plan import both_ways, turn_between
from ambidex.scripted_policies.libero.tool_frame import DOWN, advanced, pointing
from ambidex.scripted_policies.libero.workplace import Workplace

PULLED = -0.168  # where the drawer is pulled to [m]
HALF_PULLED, HALF_OPEN = -0.142, -0.128  # for a top drawer that need not count as open [m]
DONE_OPEN, DONE_SHUT = -0.156, 0.003  # [m]
SHUT = 0.022  # where it is pushed to, beyond its stop [m]
BACK = 0.04  # [m]
TILTS = tuple(math.radians(angle) for angle in (45, 60, 75, 30, 90, 15, 0))  # of the hand from straight down
GRIP_OPENING = 0.035  # [m]
PUSH_TILTS = tuple(math.radians(angle) for angle in (38, 50, 30, 65))
PULL_HEADINGS = (0.0, 0.5, -0.5, 0.9, -0.9)  # of a pulling hand [rad]
OUTWARDS = (0.0, 0.005)  # of the grip site from the bar's middle [m]
HEADINGS = (0.0, 0.5, -0.5)  # of a pushing hand to either side [rad]
BESIDE = (0.0, 0.055, -0.055, 0.08, -0.08)  # from the handle's middle, where the bar or the front is pushed [m]
FRONT, BAR = 0.0223, -0.0035  # from the handle's middle back to the front, and out to the face of the bar [m]
STANDOFF = 0.003  # of the finger tips before they push [m]
OUT, ABOVE = 0.035, 0.1  # from where a pushing hand comes: out and up from the front [m]
AJAR = -0.1  # from which a drawer is open enough to be widened from inside [m]
INSIDE, OVER_BAR = 0.057, 0.014  # where, from the bar's middle: inwards, and up [m]
MOST = 6  # hands to choose from
GAP = 0.004  # of a hand that holds the bar [m]


class Drawer:
    """The skill, for one job."""

    def __init__(self, work: Workplace, job: Job) -> None:
        self._work = work
        self._drawer = Articulation(work.scene, job.thing)
        self._handle = f"{job.thing.removesuffix('_level')}_handle"
        self._opens = job.work is Work.OPEN
        wide = job.atom.predicate == "open" or not job.thing.endswith("_top_level")
        self._pulled, self._enough = (PULLED, DONE_OPEN) if wide else (HALF_PULLED, HALF_OPEN)

    def motion(self, attempt: int) -> Motion:
        """Pull or push; true if the drawer is where it should be."""
        if self._opens and self._drawer.position < AJAR:
            return (yield from self._widen())
        tools = self._tools()
        if not tools:
            return (yield from self._work.hand.pause(10, until=lambda: False))
        tool = tools[attempt % len(tools)]
        yield from self._pull(tool) if self._opens else self._push(tool)
        return self._done()

    def _tools(self) -> list[Pose]:
        """Hands to choose from, those with a margin around them if there are any."""
        probe = self._work.probe
        probe.renew()
        for probe.cautious in (True, False):
            tools = list(itertools.islice(self._pulling() if self._opens else self._pushing(), MOST))
            if tools:
                break
        return tools

    def _pull(self, tool: Pose) -> Motion:
        work, hand = self._work, self._work.hand
        yield from hand.follow(work.way(advanced(tool, -BACK), TIP + 0.03, 0.06))
        yield from hand.open()
        yield from hand.reach(tool, speed=0.6)
        yield from hand.close()
        if hand.gap() > GAP:
            start = hand.tool()
            goal = self._drawer.carried(start, self._pulled - self._drawer.position)
            yield from hand.reach(goal, speed=0.6, until=self._done)
        yield from hand.open()
        return (yield from self._leave())

    def _push(self, tool: Pose) -> Motion:
        work, hand = self._work, self._work.hand
        hand.grip = CLOSE
        above = tool.shifted(-OUT * self._drawer.axis + [0.0, 0.0, ABOVE])
        yield from hand.follow(work.way(above, TIP + 0.03, 0.06))
        yield from hand.reach(tool.shifted(-OUT * self._drawer.axis), tolerance=0.01)
        goal = self._drawer.carried(tool, SHUT - self._drawer.position)
        yield from hand.reach(goal, speed=0.8, until=self._done, timeout=60)
        yield from hand.reach(hand.tool().shifted(-0.02 * self._drawer.axis), tolerance=0.01)
        away = hand.tool().shifted(-OUT * self._drawer.axis + [0.0, 0.0, ABOVE])
        yield from hand.reach(away, tolerance=0.03)
        hand.grip = OPEN
        return True

    def _widen(self) -> Motion:
        """Push the front outwards from inside of a drawer that is open already."""
        work, hand = self._work, self._work.hand
        bar = work.scene.site_pose(self._handle)
        spot = bar.position + INSIDE * self._drawer.axis + [0.0, 0.0, OVER_BAR]
        tools = both_ways(Pose(spot, pointing(DOWN, bar.axis(0))))
        tool = min(tools, key=lambda tool: turn_between(hand.tool(), tool))
        hand.grip = CLOSE
        above = tool.shifted((0.0, 0.0, ABOVE))
        yield from hand.follow(work.way(above, TIP + 0.03, 0.06))
        yield from hand.reach(tool, tolerance=0.008)
        goal = tool.shifted((PULLED - 0.014 - self._drawer.position) * self._drawer.axis)
        yield from hand.reach(goal, speed=0.8, until=self._done, timeout=25)
        yield from hand.reach(hand.tool().shifted(0.01 * self._drawer.axis), tolerance=0.006)
        yield from hand.reach(hand.tool().shifted((0.0, 0.0, ABOVE)), tolerance=0.02)
        hand.grip = OPEN
        return self._done()

    def _leave(self) -> Motion:
        hand = self._work.hand
        away = advanced(hand.tool(), -BACK)
        return (yield from hand.reach(away, tolerance=0.02, turn_tolerance=1.0))

    def _done(self) -> bool:
        position = self._drawer.position
        return position < self._enough if self._opens else position > DONE_SHUT

    def _pulling(self) -> Iterator[Pose]:
        """Hands around the bar that can come there and pull."""
        bar = self._work.scene.site_pose(self._handle)
        inwards, along = self._drawer.axis, bar.axis(0)
        for heading, out, tilt in itertools.product(PULL_HEADINGS, OUTWARDS, TILTS):
            level = math.cos(heading) * inwards + math.sin(heading) * along
            approach = math.cos(tilt) * np.array(DOWN) + math.sin(tilt) * level
            spot = bar.position - out * approach
            for tool in both_ways(Pose(spot, pointing(approach, np.cross(approach, along)))):
                if self._clear(tool, GRIP_OPENING, self._pulled):
                    yield tool

    def _pushing(self) -> Iterator[Pose]:
        """Closed hands at the front that can push it shut."""
        handle = self._work.scene.site_pose(self._handle)
        inwards = self._drawer.axis
        for beside, tilt, heading in itertools.product(BESIDE, PUSH_TILTS, HEADINGS):
            level = math.cos(heading) * inwards + math.sin(heading) * handle.axis(0)
            approach = math.cos(tilt) * np.array(DOWN) + math.sin(tilt) * level
            touch = handle.position + beside * handle.axis(0) + (FRONT if beside else BAR) * inwards
            tip: FloatArray = touch - TIP * approach - (STANDOFF + 0.009 * math.cos(tilt)) * inwards
            for tool in both_ways(Pose(tip, pointing(approach, np.cross(approach, [0.0, 0.0, 1.0])))):
                if self._pushes(tool):
                    yield tool

    def _pushes(self, tool: Pose) -> bool:
        """Whether a closed hand comes there from above, and on to where the drawer is shut."""
        work, probe = self._work, self._work.probe
        probe.turn(self._drawer.joint, self._drawer.position)
        above = tool.shifted(-OUT * self._drawer.axis + [0.0, 0.0, ABOVE])
        start = work.reach.joints(above, work.joints())
        at = None if start is None else work.reach.joints(tool, start)
        if start is None or at is None or probe.collides(start, 0.0) or probe.collides(at, 0.0):
            return False
        moved = work.reach.joints(self._drawer.carried(tool, -self._drawer.position), at)
        probe.turn(self._drawer.joint, 0.0)
        # What lies in the drawer comes along.
        return moved is not None and not probe.collides(moved, 0.0, ignored=work.task.problem.objects)

    def _clear(self, tool: Pose, opening: float, end: float) -> bool:
        """Whether the hand comes there, and on to where the joint is at `end` [m], touching nothing else."""
        work, probe = self._work, self._work.probe
        probe.turn(self._drawer.joint, self._drawer.position)
        start = work.reach.joints(advanced(tool, -BACK), work.joints())
        at = None if start is None else work.reach.joints(tool, start)
        if start is None or at is None or probe.collides(start, opening) or probe.collides(at, opening):
            return False
        moved = work.reach.joints(self._drawer.carried(tool, end - self._drawer.position), at)
        probe.turn(self._drawer.joint, end)
        return moved is not None and not probe.collides(moved, opening)
