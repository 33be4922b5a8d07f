"""Slides a plate over the table to where a goal atom wants it, pushing aside what lies in the way."""

import itertools

import numpy as np

from ambidex.envs.simulation.pose import Pose
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.approach import before
from ambidex.scripted_policies.libero.hand import Motion
from ambidex.scripted_policies.libero.job import Job
from ambidex.scripted_policies.libero.workplace import Workplace

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
