"""Plans how to pick an object up and where to put it, so that arm and object collide with nothing at both ends."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ambidex.envs.simulation.pose import Pose, angle_between
from ambidex.envs.tasks.libero.bddl.problem import Atom
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.context import SkillContext
from ambidex.scripted_policies.libero.geometry import Stance, both_finger_orders, is_tilted, pregrasp_pose, stance_of
from ambidex.scripted_policies.libero.lookahead.reach import ArmPosture
from ambidex.scripted_policies.libero.planning.grasps import OPEN_GAP, Grasp, has_rim, top_grasps

HOVER = 0.06  # height above a placement from which an object is put down [m]
HOLDING_GAP = 0.03  # of a hand that holds something, in collision checks: the object held is ignored anyway [m]
RELEASED_GAPS = tuple(np.arange(0.0, OPEN_GAP, 0.005))  # tried, to find what the hand is clear of the object at [m]
RELEASED_SPARE = 0.011  # beyond that: the 12 mm of `Put`, the width of a step above, and some to spare [m]
GENTLE_DROPS = (0.0, 0.003, 0.006, 0.012)  # heights above rest from which an object does not tip over [m]
DROPS = (*GENTLE_DROPS, 0.03, 0.05, 0.07, 0.09, 0.11)  # heights above rest at which to let go, lowest first [m]
GENTLE = GENTLE_DROPS[-1]
PATIENCE = 3  # placements tried after the first drop that is not gentle
MAX_DROPPING, MAX_UNPLACED = 6, 25  # grasps with a high drop, and without a placement, after which the search ends
MAX_GRASPS = 140  # tried per search
CLOSING_GAPS = (0.06, 0.04, 0.02)  # checked while the fingers close [m]
MIN_DEXTERITY = 0.05  # below which the arm only creeps [m/rad]
LIFTS = (0.03, 0.07, 0.12, 0.18)  # heights at which an object that is lifted is checked [m]
RETREATS = (0.4, 0.7, 1.0)  # shares of the way back along a tilted hand at which it is checked
STOPS = 5  # checked on a straight line


@dataclass(frozen=True, kw_only=True)
class PlanningMargins:
    """What a plan has to respect. If no plan is found, the search is repeated with lower margins.

    Attributes:
        cautious: Hand and arm keep a margin from everything.
        direct: The arm can move there straight from its posture, as its controller does.
        dexterous: Postures in which the arm only creeps are excluded.
        max_gap: Distance between the finger pads on the way to a grasp, at most [m].
    """

    cautious: bool = True
    direct: bool = True
    dexterous: bool = True
    max_gap: float = OPEN_GAP


@dataclass(frozen=True, eq=False)
class PutPlan:
    """How an object is picked up, and where it goes. Poses are in the world.

    Attributes:
        tool: Pose of the hand at the grasp.
        placement: Pose of the object when it is let go; None if this grasp reaches no placement.
        gap: Distance between the finger pads on the way to the grasp [m].
        drop: Height above its place of rest at which the object is let go [m].
        entry: Pose of the object in front of an opening, oriented as it goes in; for insertions only.
    """

    tool: Pose
    placement: Pose | None
    gap: float = field(default=OPEN_GAP, kw_only=True)
    drop: float = field(default=0.0, kw_only=True)
    entry: Pose | None = field(default=None, kw_only=True)


class PickPlanner:
    """Searches grasps and placements of the object that is the first argument of a goal atom."""

    def __init__(self, context: SkillContext, atom: Atom) -> None:
        self._context, self._atom, self._obj = context, atom, atom.arguments[0]
        self._collisions, self._reach = context.collisions, context.reach

    def plans(self, margins: PlanningMargins, pose: Pose | None = None) -> Iterator[PutPlan]:
        """Plans for the object at a pose, by default its present one; better ones first, without placement last."""
        pose = pose or self._context.pose_of(self._obj)
        dropping: list[PutPlan] = []
        unplaced = []
        for grasp, gap in self.reachable_grasps(margins, pose):
            drop, placement = self._place(pose, grasp, margins) or (math.inf, None)
            plan = PutPlan(grasp.tool, placement, gap=gap, drop=drop)
            if drop <= GENTLE:
                yield plan
            elif placement is None:
                unplaced.append(plan)
            else:
                dropping.append(plan)
            if len(dropping) >= MAX_DROPPING or len(unplaced) >= MAX_UNPLACED:
                break
        yield from sorted(dropping, key=lambda plan: plan.drop)
        yield from unplaced

    def slide_grasps(self, goal: Pose) -> Iterator[Pose]:
        """Poses of the hand at grasps from which the object can be slid to a goal."""
        pose = self._context.pose_of(self._obj)
        for grasp, _ in self.reachable_grasps(PlanningMargins(), pose):
            if self._reach.joints_at(goal @ (pose.inverse() @ grasp.tool), grasp.joints) is not None:
                yield grasp.tool

    def replaced(self, plan: PutPlan) -> PutPlan | None:
        """The plan with another placement, for the object as the hand holds it now; None if there is none."""
        for margins in (PlanningMargins(), PlanningMargins(cautious=False)):
            found = self._place(self._context.pose_of(self._obj), self._context.posture(), margins)
            if found is not None:
                return replace(plan, drop=found[0], placement=found[1])
        return None

    def reachable_grasps(
        self, margins: PlanningMargins, pose: Pose, grasps: Sequence[Grasp] | None = None
    ) -> Iterator[tuple[ArmPosture, float]]:
        """Postures at grasps of the object at a pose, and gaps of the fingers [m].

        The arm can get there and lift the object. By default all `top_grasps` are tried that it has as it
        stands or lies.
        """
        start = self._context.posture()
        if grasps is None:
            grasps = top_grasps(self._context.category(self._obj), stance_of(pose.quaternion).up)
        options = [(grasp, tool) for grasp in grasps for tool in both_finger_orders(pose @ grasp.tool)]
        options.sort(key=lambda option: option[0].rank + angle_between(start.tool, option[1]))
        for grasp, tool in options[:MAX_GRASPS]:
            self._collisions.place(self._obj, pose)
            gap = min(grasp.gap, margins.max_gap)
            joints = self._joints_on_line(start, pregrasp_pose(tool), margins)
            for stop in (pregrasp_pose(tool), tool):
                joints = None if joints is None else self._free_joints(stop, joints, gap, margins)
            if (
                joints is not None
                and not self._pinches_others(joints, gap, margins)
                and self._can_lift(pose, tool, joints)
            ):
                yield ArmPosture(tool, joints), gap

    def _can_lift(self, pose: Pose, tool: Pose, joints: FloatArray) -> bool:
        """Whether nothing is above object and arm: straight up, or back along a tilted hand and then up."""
        back = pregrasp_pose(tool).position - tool.position if is_tilted(tool) else np.zeros(3)
        way = [share * back for share in RETREATS] if is_tilted(tool) else []
        way += [back + np.array([0.0, 0.0, height]) for height in LIFTS]
        free = not any(self._collisions.object_collides(self._obj, pose.shifted(offset)) for offset in way)
        self._collisions.place(self._obj, pose)
        return free and self._can_raise([tool.shifted(offset) for offset in way], joints)

    def _can_raise(self, tools: Sequence[Pose], joints: FloatArray) -> bool:
        """Whether the arm collides at none of several poses of the hand, as far as it reaches them."""
        for tool in tools:
            found = self._reach.joints_at(tool, joints, continuous=True)
            if found is None:
                return True
            if self._collisions.arm_collides(found, HOLDING_GAP, ignored=(self._obj,), cautious=False):
                return False
            joints = found
        return True

    def _pinches_others(self, joints: FloatArray, widest: float, margins: PlanningMargins) -> bool:
        """Whether the closing fingers would hit something besides the object, such as the wall of its neighbour."""
        collides = self._collisions.arm_collides
        gaps = (gap for gap in CLOSING_GAPS if gap < widest)
        return any(collides(joints, gap, ignored=(self._obj,), cautious=margins.cautious) for gap in gaps)

    def _place(self, pose: Pose, grasp: ArmPosture, margins: PlanningMargins) -> tuple[float, Pose] | None:
        """The gentlest way found to let go of the object: the height of the drop [m] and the pose."""
        placements, atom = self._context.placements, self._atom
        grip, stance = pose.inverse() @ grasp.tool, stance_of(pose.quaternion)
        released = self._released_gap(pose, grasp)
        best: tuple[float, Pose] | None = None
        unsteady: tuple[float, Pose] | None = None
        patience, level = PATIENCE, has_rim(self._context.category(self._obj))
        may_fall = atom.predicate == "in" and not placements.is_narrow(atom)
        for turn in placements.turns(atom, stance):
            for rest in placements.best_poses(atom, stance.turned(turn)):
                near = self._joints_on_line(grasp, rest.shifted((0.0, 0.0, HOVER)) @ grip, margins)
                if near is None:
                    continue
                drops = DROPS if may_fall and best is None else GENTLE_DROPS
                found = self._release(rest, grip, near, drops, margins, released)
                falls = found is not None and found[0] > GENTLE
                if found is not None and falls and not self._context.drops.satisfies(atom, found[1], level=level):
                    unsteady, found = unsteady or found, None
                best = found or best
                patience -= best is not None
                if best is not None and (best[0] <= GENTLE or patience < 0):
                    return best
        may_tip = best is None and may_fall and not level
        tipped = self._tipped(grip, stance, grasp, margins, released) if may_tip else None
        return best or tipped or unsteady

    def _tipped(
        self, grip: Pose, stance: Stance, grasp: ArmPosture, margins: PlanningMargins, released: float
    ) -> tuple[float, Pose] | None:
        """Where to let go of a tilted object so that it falls flat, in a region too low for it to stand in."""
        for tipped in self._context.placements.tipped_poses(self._atom, stance):
            near = self._joints_on_line(grasp, tipped.shifted((0.0, 0.0, HOVER)) @ grip, margins)
            found = None if near is None else self._release(tipped, grip, near, GENTLE_DROPS, margins, released)
            if found is not None and self._context.drops.satisfies(self._atom, found[1]):
                return found
        return None

    def _release(
        self,
        rest: Pose,
        grip: Pose,
        near: FloatArray,
        drops: Sequence[float],
        margins: PlanningMargins,
        released: float,
    ) -> tuple[float, Pose] | None:
        """Where to let go of the object so that it comes to rest at a pose: as low as the hand can get and open."""
        for height in drops:
            pose, above = rest.shifted((0.0, 0.0, height)), rest.shifted((0.0, 0.0, height + HOVER))
            joints: FloatArray | None = near
            for stop in (above, pose):
                self._collisions.place(self._obj, stop)
                if joints is not None:
                    joints = self._free_joints(stop @ grip, joints, HOLDING_GAP, margins, self._obj)
            if joints is not None and self._can_let_go(joints, released):
                return height, pose
        return None

    def _released_gap(self, pose: Pose, grasp: ArmPosture) -> float:
        """Distance between the finger pads at which the hand is clear of the object that it has grasped [m]."""
        self._collisions.place(self._obj, pose)
        clear = (gap for gap in RELEASED_GAPS if not self._collisions.arm_collides(grasp.joints, gap, cautious=False))
        return min(next(clear, OPEN_GAP) + RELEASED_SPARE, OPEN_GAP)

    def _can_let_go(self, joints: FloatArray, gap: float) -> bool:
        """Whether the fingers can open to a gap [m] without pressing against what is around the object.

        In a narrow region they cannot, and need not: its walls hold the object.
        """
        narrow = self._context.placements.is_narrow(self._atom)
        return narrow or not self._collisions.arm_collides(joints, gap, ignored=(self._obj,), cautious=False)

    def _joints_on_line(self, start: ArmPosture, goal: Pose, margins: PlanningMargins) -> FloatArray | None:
        """`ReachChecker.joints_on_line`; if the arm may take any route, its joints are returned."""
        return self._reach.joints_on_line(start, goal, STOPS) if margins.direct else start.joints

    def _free_joints(
        self, tool: Pose, near: FloatArray, gap: float, margins: PlanningMargins, carried: str | None = None
    ) -> FloatArray | None:
        """Joints (7,) [rad] at a pose of the hand, None if the margins are not kept there."""
        joints = self._reach.free_joints_at(tool, near, gap, carried=carried, cautious=margins.cautious)
        if joints is None or (margins.dexterous and self._reach.dexterity(joints) < MIN_DEXTERITY):
            return None
        return joints
