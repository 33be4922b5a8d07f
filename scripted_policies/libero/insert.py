"""Picks a thing up and brings it into a covered place through its open side."""

import itertools
from collections.abc import Iterator

from ambidex.scripted_policies.libero.hand import Motion
from ambidex.scripted_policies.libero.insert_plan import LOOKED_AT, InsertPlan, InsertPlanner
from ambidex.scripted_policies.libero.job import Job
from ambidex.scripted_policies.libero.jobs import lid_of
from ambidex.scripted_policies.libero.opening import Opening
from ambidex.scripted_policies.libero.pick_plan import PutPlan
from ambidex.scripted_policies.libero.put import TRIES, Put, half_width
from ambidex.scripted_policies.libero.strictness import Strictness
from ambidex.scripted_policies.libero.tool_frame import advanced
from ambidex.scripted_policies.libero.ways_in import Way, ways_in
from ambidex.scripted_policies.libero.workplace import CLEARANCE, Workplace

AWAY = 0.1  # straight back along the hand after letting go [m]
STRICTNESS = (Strictness(), Strictness(cautious=False), Strictness(cautious=False, agile=False))
LOWERED = 0.01  # before letting go, less than the thing is carried above the floor [m]


class Insert(Put):
    """The skill, for one job. Each try takes the next plan."""

    def __init__(self, work: Workplace, job: Job, opening: Opening) -> None:
        super().__init__(work, job)
        self._opening = opening
        self._ways = list(self._possible(work.category(self._thing)))
        self._planner = InsertPlanner(work.probe, work.reach, work.pick_plan)

    def _possible(self, category: str) -> Iterator[Way]:
        shut = lid_of(self._work.task.problem, self._atom.arguments[1]) is not None
        return ways_in(category, self._opening, whole=shut)

    def _plan(self, attempt: int) -> PutPlan | None:
        work, thing = self._work, self._thing
        work.probe.renew()
        found: PutPlan | None = None
        here, joints, pose = work.hand.tool(), work.joints(), work.pose_of(thing)
        for strictness in STRICTNESS:
            plans = self._planner.plans(
                thing, work.category(thing), self._opening, self._ways, pose, here, joints, strictness
            )
            for plan in itertools.islice(plans, attempt % TRIES + 1):
                found = plan
            if found is not None:
                break
        return found

    def _place(self, plan: PutPlan) -> Motion:
        if not isinstance(plan, InsertPlan) or plan.place is None:
            raise TypeError(f"To be put in, a thing needs a plan with a way in, and this is {plan!r}.")
        work, hand = self._work, self._work.hand
        thing, tool = work.pose_of(self._thing), hand.tool()
        low, high = work.passage.extent(self._thing)
        drop = float(tool.position[2] - low[2]) + CLEARANCE
        before = plan.doorway @ (thing.inverse() @ tool)
        # Turned as it goes in before it comes down, as there may be an open door beside it.
        above = before.shifted((0.0, 0.0, LOOKED_AT))
        yield from hand.follow(work.way(above, drop, half_width(low, high, tool), self._thing))
        if not work.held(self._thing):
            yield from self._let_go()
            return False
        grip = work.pose_of(self._thing).inverse() @ hand.tool()
        yield from hand.reach(plan.doorway @ grip, speed=0.6)
        yield from hand.reach(plan.place @ grip, speed=0.6)
        yield from hand.reach(plan.place.shifted((0.0, 0.0, -LOWERED)) @ grip, speed=0.3, timeout=15)
        yield from hand.open()
        yield from hand.reach(advanced(hand.tool(), -AWAY), tolerance=0.02, turn_tolerance=1.0)
        return True
