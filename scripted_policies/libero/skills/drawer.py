"""Opens a drawer by its handle, and pushes one shut."""

from ambidex.envs.simulation.pose import Pose
from ambidex.scripted_policies.libero.context import Workplace
from ambidex.scripted_policies.libero.geometry import DOWN, Articulation, advanced, both_ways, pointing, turn_between
from ambidex.scripted_policies.libero.hand import CLOSE, OPEN, Motion
from ambidex.scripted_policies.libero.planning.drawer import ABOVE, BACK, OUT, DrawerPlan, Stroke
from ambidex.scripted_policies.libero.subgoals import Job, Work

PULLED = -0.168  # where the drawer is pulled to [m]
HALF_PULLED, HALF_OPEN = -0.142, -0.128  # for a top drawer that need not count as open [m]
DONE_OPEN, DONE_SHUT = -0.156, 0.003  # [m]
SHUT = 0.022  # where it is pushed to, beyond its stop [m]
AJAR = -0.1  # from which a drawer is open enough to be widened from inside [m]
INSIDE, OVER_BAR = 0.057, 0.014  # where, from the bar's middle: inwards, and up [m]
GAP = 0.004  # of a hand that holds the bar [m]


class Drawer:
    """The skill, for one job."""

    def __init__(self, work: Workplace, job: Job) -> None:
        self._work = work
        self._drawer = Articulation(work.scene, job.thing)
        self._handle = f"{job.thing.removesuffix('_level')}_handle"
        self._plan = DrawerPlan(work, self._drawer, self._handle)
        self._opens = job.work is Work.OPEN
        wide = job.atom.predicate == "open" or not job.thing.endswith("_top_level")
        self._pulled, self._enough = (PULLED, DONE_OPEN) if wide else (HALF_PULLED, HALF_OPEN)

    def motion(self, attempt: int) -> Motion:
        """Pull or push; true if the drawer is where it should be."""
        if self._opens and self._drawer.position < AJAR:
            return (yield from self._widen())
        strokes = self._plan.pulls(self._pulled) if self._opens else self._plan.pushes(SHUT)
        if not strokes:
            return (yield from self._work.hand.pause(10, until=lambda: False))
        stroke = strokes[attempt % len(strokes)]
        yield from self._pull(stroke.tool) if self._opens else self._push(stroke)
        return self._done()

    def _pull(self, tool: Pose) -> Motion:
        work, hand = self._work, self._work.hand
        yield from hand.follow(work.free_way(advanced(tool, -BACK)))
        yield from hand.open()
        yield from hand.reach(tool, speed=0.6)
        yield from hand.close()
        if hand.gap() > GAP:
            start = hand.tool()
            goal = self._drawer.carried(start, self._pulled - self._drawer.position)
            yield from hand.reach(goal, speed=0.6, until=self._done)
        yield from hand.open()
        return (yield from self._leave())

    def _push(self, stroke: Stroke) -> Motion:
        work, hand = self._work, self._work.hand
        hand.grip = CLOSE
        before = stroke.tool.shifted(-OUT * self._drawer.axis)
        yield from hand.follow(work.free_way(before.shifted((0.0, 0.0, ABOVE))))
        yield from hand.reach(before, tolerance=0.01)
        yield from hand.reach(stroke.end, speed=0.8, until=self._done, timeout=60)
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
        yield from hand.follow(work.free_way(above))
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
