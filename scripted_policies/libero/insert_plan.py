"""How a thing is taken and brought into a covered place through its open side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ambidex.envs.simulation.pose import Pose
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.grasp import Grasp
from ambidex.scripted_policies.libero.hand_room import hand_fits
from ambidex.scripted_policies.libero.opening import Opening
from ambidex.scripted_policies.libero.pick_plan import AGILE, HOLDING, PickPlan, PutPlan
from ambidex.scripted_policies.libero.probe import Probe
from ambidex.scripted_policies.libero.reach import Reach
from ambidex.scripted_policies.libero.side_grasps import side_grasps
from ambidex.scripted_policies.libero.strictness import Strictness
from ambidex.scripted_policies.libero.tool_frame import poses_between
from ambidex.scripted_policies.libero.ways_in import Way

LOOKED_AT = 0.1  # how far over the doorway the arm comes from [m]


@dataclass(frozen=True, eq=False)
class InsertPlan(PutPlan):
    """A plan with a way in.

    Attributes:
        doorway: The thing in front of the opening, in the world, turned as it goes in.
    """

    doorway: Pose


class InsertPlanner:
    """Tries ways in against the copy of the world in a probe."""

    def __init__(self, probe: Probe, reach: Reach, pick_plan: PickPlan) -> None:
        self._probe, self._reach, self._pick_plan = probe, reach, pick_plan

    def plans(
        self,
        thing: str,
        category: str,
        opening: Opening,
        ways: Sequence[Way],
        pose: Pose,
        here: Pose,
        joints: FloatArray,
        strictness: Strictness,
    ) -> Iterator[InsertPlan]:
        """Ways to do it, better ones first.

        Args:
            thing: What goes in.
            category: Of the thing.
            opening: Where it goes in.
            ways: Where it may be let go, and from where it comes there, better ones first.
            pose: Where the thing is.
            here: Where the hand is.
            joints: Where the arm is, shape (7,) [rad].
            strictness: What the plans have to keep to. Where the thing is taken, the arm never creeps.
        """
        choice = _fitting(category, opening, ways)
        taking = replace(strictness, agile=True)
        for tool, _, _ in self._pick_plan.takes(thing, pose, category, here, joints, taking, choice):
            # How the arm gets there decides how far it can turn afterwards.
            at = self._along(poses_between(here, tool, 8), joints, strictness)
            if at is None:
                continue
            grip = pose.inverse() @ tool
            for goal, doorway in ways:
                plan = InsertPlan(tool, goal, doorway)
                if hand_fits(goal @ grip, opening) and self._goes(plan, grip, thing, at, strictness):
                    yield plan
                    break

    def _goes(self, plan: InsertPlan, grip: Pose, thing: str, at: FloatArray, strictness: Strictness) -> bool:
        """Whether arm and thing are free of everything on the way in."""
        above = plan.doorway.shifted((0.0, 0.0, LOOKED_AT))
        over = above @ grip
        lifted = plan.tool.shifted((0.0, 0.0, LOOKED_AT))
        joints = self._along([*poses_between(plan.tool, lifted, 2), *poses_between(lifted, over, 8)], at, strictness)
        if joints is None or plan.place is None:
            return False
        for stop in (above, *poses_between(above, plan.doorway, 2), *poses_between(plan.doorway, plan.place, 4)):
            joints = None if joints is None else self._reach.joints(stop @ grip, joints, continuous=True)
            self._probe.place(thing, stop)
            cautious = strictness.cautious
            if joints is None or self._probe.collides(joints, HOLDING, carried=thing, cautious=cautious):
                return False
        return True

    def _along(self, tools: Sequence[Pose], joints: FloatArray, strictness: Strictness) -> FloatArray | None:
        """Joints (7,) at the last of several poses; None if the arm does not get there, or creeps on the way."""
        for tool in tools:
            found = self._reach.joints(tool, joints, continuous=True)
            if found is None or (strictness.agile and self._reach.agility(found) < AGILE):
                return None
            joints = found
        return joints


def _fitting(category: str, opening: Opening, ways: Sequence[Way]) -> list[Grasp]:
    """Grasps whose hand has room at the end of a way in."""
    # Of goals that differ in depth alone, the shallowest leaves most room.
    shallowest: dict[bytes, Pose] = {}
    for goal, _ in ways:
        known = shallowest.get(goal.quaternion.tobytes())
        if known is None or opening.outside(goal.position) > opening.outside(known.position):
            shallowest[goal.quaternion.tobytes()] = goal
    goals = list(shallowest.values())
    return [grasp for grasp in side_grasps(category) if any(hand_fits(goal @ grasp.tool, opening) for goal in goals)]
