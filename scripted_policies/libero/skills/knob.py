"""Turns the stove's knob by its fin."""

from collections.abc import Iterator

from ambidex.envs.simulation.pose import Pose
from ambidex.scripted_policies.libero.context import Workplace
from ambidex.scripted_policies.libero.geometry import Articulation, advanced, both_ways, pointing, turn_between
from ambidex.scripted_policies.libero.hand import Motion
from ambidex.scripted_policies.libero.planning.grasps import OPEN
from ambidex.scripted_policies.libero.subgoals import Job, Work

ON, OFF = 1.1, -0.35  # where the knob is turned to; off lies beyond the stop [rad]
DONE_ON, DONE_OFF = 0.7, -0.003  # [rad]
DEPTH = 0.012  # of the grip site below the fin's top [m]
BACK = 0.07  # [m]
TILTS = (0.0, 0.35, -0.35)  # of the hand along the fin, from straight down


class Knob:
    """The skill, for one job."""

    def __init__(self, work: Workplace, job: Job) -> None:
        self._work = work
        self._knob = Articulation(work.scene, job.thing)
        self._fin = f"{job.thing.removesuffix('_button')}_knob_handle"
        self._on = job.work is Work.TURN_ON

    def motion(self, attempt: int) -> Motion:
        """Grip the fin, turn the hand with the knob, let go."""
        hand = self._work.hand
        tools = list(self._tools())
        if not tools:
            return (yield from hand.pause(10, until=lambda: False))
        tool = tools[attempt % len(tools)]
        change = (ON if self._on else OFF) - self._knob.position
        yield from hand.follow(self._work.free_way(advanced(tool, -BACK)))
        yield from hand.open()
        yield from hand.reach(tool, speed=0.7)
        yield from hand.close()
        yield from hand.reach(self._knob.carried(tool, change), until=self._done, turn_tolerance=0.03)
        yield from hand.open()
        yield from hand.reach(advanced(hand.tool(), -BACK), tolerance=0.02, turn_tolerance=1.0)
        return self._done()

    def _done(self) -> bool:
        position = self._knob.position
        return position > DONE_ON if self._on else position < DONE_OFF

    def _tools(self) -> Iterator[Pose]:
        """Hands at the fin, in reach before and after the turn."""
        work = self._work
        work.probe.renew()
        fin = work.scene.site_pose(self._fin)
        top = fin.position + fin.axis(2) * (float(work.scene.model.site(self._fin).size[2]) - DEPTH)
        change = (ON if self._on else OFF) - self._knob.position
        steps = [share * change for share in (0.25, 0.5, 0.75, 1.0)]
        here = work.hand.tool()
        options = [
            tool
            for tilt in TILTS
            for tool in both_ways(Pose(top, pointing(tilt * fin.axis(0) - fin.axis(2), fin.axis(1))))
        ]
        for tool in sorted(options, key=lambda tool: turn_between(here, tool)):
            start = work.reach.joints(advanced(tool, -BACK), work.joints())
            at = None if start is None else work.reach.joints(tool, start, continuous=True)
            if at is None or work.probe.collides(at, OPEN):
                continue
            if work.reach.along([self._knob.carried(tool, step) for step in steps], at) is not None:
                yield tool
