"""Picks a thing up and brings it into a covered place through its open side."""

import itertools
import math
from collections.abc import Iterator

import numpy as np

from ambidex.envs.simulation.pose import Pose
from ambidex.scripted_policies.libero.context import CLEARANCE, Workplace
from ambidex.scripted_policies.libero.geometry import DOWN, advanced, corners_of, pointing
from ambidex.scripted_policies.libero.hand import OPEN, Motion
from ambidex.scripted_policies.libero.planning.grasps import TIP
from ambidex.scripted_policies.libero.planning.insert import (
    LOOKED_AT,
    InsertPlan,
    InsertPlanner,
    Way,
    ways_in,
    with_axes,
)
from ambidex.scripted_policies.libero.planning.openings import Opening
from ambidex.scripted_policies.libero.planning.pick import PutPlan, Strictness
from ambidex.scripted_policies.libero.skills.put import TRIES, Put, half_width
from ambidex.scripted_policies.libero.subgoals import Job, lid_of

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


# FOLDED scripted_policies.libero.shove: Lays a flat thing down in front of a place too low to stand in, and shoves it in.

LEAN = math.radians(45)  # of a thing that is let go to fall flat
STANDING = 0.8  # height of the tip of a unit vector along its z axis, from which a thing stands
SPOTS = (0.015, 0.035, 0.06)  # between the boards and the lower edge of a thing that is to fall [m]
ASIDE = (0.0, 0.04, -0.04, 0.08, -0.08)  # from the middle of the opening [m]
RAISED = 0.012  # above what it will lie on [m]
ABOVE = 0.06  # from where it comes down [m]
RISE = 0.13  # above what stands around, before the hand turns [m]
FINGER = 0.009  # half of it in the direction of the shove [m]
BEHIND = 0.03  # the thing, where the hand comes down [m]
STOP = 0.035  # of the fingers in front of the boards [m]


class Shove(Insert):
    """The skill, for one job."""

    def motion(self, attempt: int) -> Motion:
        """Lay it down if it stands, and shove it in with open fingers."""
        if self._stands():
            if not (yield from super().motion(attempt)):
                return False
            hand = self._work.hand
            yield from hand.reach(hand.tool().shifted((0.0, 0.0, RISE)), tolerance=0.02)
        return False if self._stands() else (yield from self._shove())

    def _possible(self, category: str) -> Iterator[Way]:
        return leaning(category, self._opening)

    def _stands(self) -> bool:
        return bool(self._work.pose_of(self._thing).axis(2)[2] > STANDING)

    def _shove(self) -> Motion:
        work, hand = self._work, self._work.hand
        hand.grip = OPEN
        outwards = self._opening.outwards
        low, high = work.passage.extent(self._thing)
        middle = (low + high) / 2
        outer = float(np.abs((high - low) / 2) @ np.abs(outwards))
        spot = np.array([*(middle + (outer + FINGER + BEHIND) * outwards)[:2], self._opening.floor + TIP + 0.004])
        behind = Pose(spot, pointing(DOWN, self._opening.aside))
        yield from hand.follow(work.free_way(behind))
        goal = behind.shifted((STOP - self._opening.outside(spot)) * outwards)
        yield from hand.reach(goal, speed=0.6)
        yield from hand.reach(hand.tool().shifted(0.02 * outwards), tolerance=0.01)
        yield from hand.reach(hand.tool().shifted((0.0, 0.0, 0.1)), tolerance=0.02)
        return True


def leaning(category: str, opening: Opening) -> Iterator[Way]:
    """Poses in front of an opening from which a thing falls flat when it is let go, its foot towards the opening."""
    up = np.array([0.0, 0.0, 1.0])
    z = math.sin(LEAN) * opening.outwards + math.cos(LEAN) * up
    across = math.cos(LEAN) * opening.outwards - math.sin(LEAN) * up
    for x in (across, -across):
        quaternion = with_axes(x, z)
        corners = corners_of(category, quaternion)
        height = opening.floor - float(corners[:, 2].min()) + RAISED
        inner = float((corners @ opening.outwards).min())
        for spot in SPOTS:
            for aside in ASIDE:
                level = opening.centre + (opening.front + spot - inner) * opening.outwards + aside * opening.aside
                goal = Pose(np.array([*level[:2], height]), quaternion)
                yield goal, goal.shifted((0.0, 0.0, ABOVE))
