"""Picks a thing up and puts it where a goal atom wants it."""

import itertools

import numpy as np

from ambidex.envs.simulation.pose import Pose
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.context import CLEARANCE, HAND_RADIUS, Workplace
from ambidex.scripted_policies.libero.geometry import advanced, before, leans, poses_between
from ambidex.scripted_policies.libero.hand import OPEN as RELEASE
from ambidex.scripted_policies.libero.hand import Motion
from ambidex.scripted_policies.libero.planning.grasps import OPEN
from ambidex.scripted_policies.libero.planning.pick import HOVER, PutPlan, Strictness
from ambidex.scripted_policies.libero.skills.push import Nudge
from ambidex.scripted_policies.libero.subgoals import Job

LIFT = 0.05  # straight up after a grasp [m]
UPRIGHT = 0.985  # z of the upward axis of a thing that may be let go in a narrow place
LOWERED = 0.008  # further than the floor, in a narrow place [m]
LIFTED = 0.015  # what of it the thing has to follow [m]
RETREAT = 0.07  # after letting go [m]
LOOSE, WIDE = 0.012, 0.076  # by how much fingers open, or how far, until they are off a thing [m]
RELEASE_STEPS = 18  # at most, until they are
NARROW = 0.056  # opening of the fingers where things stand close [m]
STRICTNESS = (
    Strictness(),
    Strictness(cautious=False),
    Strictness(cautious=False, agile=False),
    Strictness(cautious=False, agile=False, widest=NARROW),
)
RETRY = 80  # steps to wait if there is no way, as thinking costs time
STOPS = 6  # on the way to a place that are looked at
TRIES = 12  # plans drawn per job


class Put:
    """The skill, for one job. Each try takes the next plan."""

    def __init__(self, work: Workplace, job: Job) -> None:
        self._work = work
        self._atom = job.atom
        self._thing = job.thing

    def motion(self, attempt: int) -> Motion:
        """Pick and place; true if the thing was let go where it should be."""
        plan = self._plan(attempt)
        if (plan is None or plan.place is None) and (yield from Nudge(self._work, self._atom).motion()):
            return False
        if plan is None:
            return (yield from self._work.hand.pause(RETRY, until=lambda: False))
        if not (yield from self._pick(plan)):
            yield from self._let_go()
            return False
        return (yield from self._place(plan))

    def _plan(self, attempt: int) -> PutPlan | None:
        work = self._work
        work.probe.renew()
        thing = work.pose_of(self._thing)
        here, joints = work.hand.tool(), work.joints()
        found: PutPlan | None = None
        for strictness in STRICTNESS:
            plans = work.pick_plan.plans(self._atom, thing, work.category(self._thing), here, joints, strictness)
            for plan in itertools.islice(plans, attempt % TRIES + 1):
                found = plan if found is None or plan.place is not None else found
            if found is not None and found.place is not None:
                break
        return found

    def _pick(self, plan: PutPlan) -> Motion:
        work, hand = self._work, self._work.hand
        grip = work.pose_of(self._thing).inverse() @ plan.tool
        yield from hand.follow(work.free_way(before(plan.tool)))
        yield from hand.open()
        if plan.opening < OPEN:
            yield from hand.narrow(plan.opening)
        goal = work.jittered(work.pose_of(self._thing) @ grip)
        yield from hand.reach(goal, speed=0.7)
        yield from hand.close()
        height, here = work.pose_of(self._thing).position[2], hand.tool()
        # A leaning hand came from under something, and has to go back there before it goes up.
        lifted = before(here) if leans(here) else here.shifted((0.0, 0.0, LIFT))
        yield from hand.reach(lifted, tolerance=0.01, speed=0.8)
        risen = work.pose_of(self._thing).position[2] - height
        return bool(risen > LIFTED and work.held(self._thing))

    def _place(self, plan: PutPlan) -> Motion:
        work, hand = self._work, self._work.hand
        place = self._destination(plan)
        if place is None:
            yield from self._let_go()
            return False
        thing, tool = work.pose_of(self._thing), hand.tool()
        low, high = work.passage.extent(self._thing)
        drop = float(tool.position[2] - low[2])
        above = place.shifted((0.0, 0.0, HOVER)) @ (thing.inverse() @ tool)
        radius = half_width(low, high, tool)
        way = work.way(above, drop + CLEARANCE, radius, self._thing)
        if not (yield from carried(work, self._thing, hand.follow(way, exact=self._atom.predicate == "in"))):
            yield from self._let_go()
            return False
        # As it is now: what slipped on the way is made good at the place.
        grip = work.pose_of(self._thing).inverse() @ hand.tool()
        yield from hand.reach(place @ grip, speed=0.6)
        if work.is_narrow(self._atom):
            # Supported from below, it does not tip over as the fingers open.
            yield from hand.reach((place @ grip).shifted((0.0, 0.0, -LOWERED)), speed=0.3, timeout=15)
            if not self._stands():
                yield from hand.follow(work.way(plan.tool, drop + CLEARANCE, radius, self._thing))
                yield from self._let_go()
                return False
        yield from self._let_go()
        return True

    def _destination(self, plan: PutPlan) -> Pose | None:
        """Where to put what is in the hand: as planned, or elsewhere if the arm does not get there from its posture."""
        work = self._work
        thing, tool, joints = work.pose_of(self._thing), work.hand.tool(), work.joints()
        if plan.place is not None:
            grip = thing.inverse() @ tool
            over = plan.place.shifted((0.0, 0.0, HOVER)) @ grip
            if work.reach.along([*poses_between(tool, over, STOPS), plan.place @ grip], joints) is not None:
                return plan.place
        work.probe.renew()
        found = work.pick_plan.destination(self._atom, thing, tool, joints, work.category(self._thing))
        return plan.place if found is None else found

    def _stands(self) -> bool:
        """Whether the thing in the hand is upright and down on the floor of its place."""
        upright = self._work.pose_of(self._thing).axis(2)[2] > UPRIGHT
        return bool(upright and self._work.stands_in(self._atom))

    def _let_go(self) -> Motion:
        hand = self._work.hand
        free = min(hand.gap() + LOOSE, WIDE)
        hand.grip = RELEASE
        # The hand goes up while its fingers open further, as soon as they are off the thing.
        yield from hand.pause(RELEASE_STEPS, until=lambda: hand.gap() > free)
        yield from hand.reach(_back(hand.tool()), tolerance=0.02, turn_tolerance=1.0)
        return True


def _back(tool: Pose) -> Pose:
    """Up and back along the hand, mostly up."""
    away = advanced(tool, -RETREAT)
    return Pose(np.array([*away.position[:2], max(away.position[2], tool.position[2] + 0.04)]), tool.quaternion)


def half_width(low: FloatArray, high: FloatArray, tool: Pose) -> float:
    """How far what is carried reaches from the tool, level [m]."""
    reach = np.maximum(np.abs(high - tool.position), np.abs(tool.position - low))
    return float(max(HAND_RADIUS, np.hypot(*reach[:2]) * 0.8))


# FOLDED scripted_policies.libero.carry: Motions with a thing in the hand.

LOST = 4  # steps on end without touch, after which a thing is lost


def carried(work: Workplace, thing: str, motion: Motion) -> Motion:
    """The same motion, which ends at once when the thing is no longer between the fingers; true if it still is."""
    missing = 0
    for _ in motion:
        yield
        missing = 0 if work.held(thing) else missing + 1
        if missing >= LOST:
            return False
    return work.held(thing)
