"""Which grasp to take and where to put the thing, so that hand and thing stay clear of everything on both ends."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ambidex.envs.objects.properties import object_properties
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.tasks.libero.bddl.problem import Atom
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.geometry import before, both_ways, leans, poses_between, turn_between
from ambidex.scripted_policies.libero.lookahead.collision import Probe
from ambidex.scripted_policies.libero.lookahead.reach import Reach
from ambidex.scripted_policies.libero.planning.grasps import OPEN, Grasp, grasps
from ambidex.scripted_policies.libero.planning.placements import Places

# FOLDED scripted_policies.libero.strictness: How much room a plan asks for. Where nothing is found, a less strict one is tried.


@dataclass(frozen=True, kw_only=True)
class Strictness:
    """What a plan has to keep to.

    Attributes:
        cautious: Hand and arm keep a margin from everything, and the arm has to get there from its posture.
        agile: Postures in which the arm creeps are left out.
        widest: Opening of the fingers on the way to a grasp, at most [m].
    """

    cautious: bool = True
    agile: bool = True
    widest: float = OPEN


PLATE = "plate"  # the category that is slid
HOVER = 0.06  # over a place before a thing is put down [m]
HOLDING = 0.03  # opening that stands for a hand that holds something: what it holds is left out anyway [m]
DROPS = (0.003, 0.012, 0.03, 0.05, 0.07, 0.09, 0.11)  # above the place, from which a thing may be let go [m]
GENTLE = 0.012  # a drop this low needs no better one [m]
PATIENCE = 3  # spots looked at after the first that is not gentle
ENOUGH, TOO_MANY = 6, 25  # grasps that drop the thing, and grasps without a place, after which the search ends
MAX_GRASPS = 140  # tried per choice
CLOSING = (0.06, 0.04, 0.02)  # openings on the way of closing [m]
AGILE = 0.05  # agility below which the arm creeps [m/rad]
RISES = (0.03, 0.07, 0.12, 0.18)  # heights at which a thing on its way up is looked at [m]
STOPS = 5  # on a way that is looked at
MAX_SPOTS = 3  # tried per angle


@dataclass(frozen=True, eq=False)
class PutPlan:
    """How a thing is taken, and where it goes.

    Attributes:
        tool: The hand at the grasp, in the world.
        opening: Of the fingers on the way to the grasp [m].
        place: The thing where it is let go, in the world; None if no place was found that this grasp can reach.
    """

    tool: Pose
    place: Pose | None
    opening: float = field(default=OPEN, kw_only=True)


class PickPlan:
    """Tries grasps and places against the copy of the world in a probe."""

    def __init__(self, probe: Probe, reach: Reach, places: Places) -> None:
        self._probe = probe
        self._reach = reach
        self._places = places
        self._seen, self._known = 0, dict[tuple[Atom, float], list[Pose]]()

    def plans(
        self, atom: Atom, thing: Pose, category: str, here: Pose, joints: FloatArray, strictness: Strictness
    ) -> Iterator[PutPlan]:
        """Ways to do it, cheaper ones first; at last grasps without a place.

        Args:
            atom: The goal atom; its first argument is the thing.
            thing: Where the thing is.
            category: Of the thing.
            here: Where the hand is.
            joints: Where the arm is, shape (7,) [rad].
            strictness: What the plans have to keep to.
        """
        dropping: list[tuple[float, PutPlan]] = []
        homeless = []
        for tool, at, opening in self.takes(atom.arguments[0], thing, category, here, joints, strictness):
            found = self._place(atom, thing, tool, at, category, strictness)
            if found is None:
                homeless.append(PutPlan(tool, None, opening=opening))
            elif found[0] <= GENTLE:
                yield PutPlan(tool, found[1], opening=opening)
            else:
                dropping.append((found[0], PutPlan(tool, found[1], opening=opening)))
            if len(dropping) >= ENOUGH or len(homeless) >= TOO_MANY:
                break
        yield from (plan for _, plan in sorted(dropping, key=lambda option: option[0]))
        yield from homeless

    def sliding(self, thing: str, pose: Pose, goal: Pose, here: Pose, joints: FloatArray) -> Iterator[Pose]:
        """Hands at grasps from which a thing can be slid from where it is to a goal."""
        for tool, at, _ in self.takes(thing, pose, PLATE, here, joints, Strictness()):
            if self._reach.joints(goal @ (pose.inverse() @ tool), at) is not None:
                yield tool

    def destination(self, atom: Atom, thing: Pose, tool: Pose, joints: FloatArray, category: str) -> Pose | None:
        """Where to put a thing that is in the hand already."""
        found = self._place(atom, thing, tool, joints, category, Strictness())
        return None if found is None else found[1]

    def takes(
        self,
        thing: str,
        pose: Pose,
        category: str,
        here: Pose,
        joints: FloatArray,
        strictness: Strictness,
        choice: Sequence[Grasp] | None = None,
    ) -> Iterator[tuple[Pose, FloatArray, float]]:
        """Hand, joints and opening of grasps the arm can take, of a choice of them or of all of a category."""
        chosen = grasps(category) if choice is None else choice
        options = [(grasp, tool) for grasp in chosen for tool in both_ways(pose @ grasp.tool)]
        options.sort(key=lambda option: option[0].rank + turn_between(here, option[1]))
        for grasp, tool in options[:MAX_GRASPS]:
            self._probe.place(thing, pose)
            led = self._led(here, before(tool), joints, strictness)
            opening = min(grasp.opening, strictness.widest)
            near = None if led is None else self._clear(before(tool), led, opening, strictness)
            at = None if near is None else self._clear(tool, near, opening, strictness)
            if at is None or self._pinches_others(at, thing, opening, strictness):
                continue
            if self._comes_up(thing, pose, tool):
                yield tool, at, opening

    def _comes_up(self, thing: str, pose: Pose, tool: Pose) -> bool:
        """Whether nothing is over the thing on the way up: straight, or back along a leaning hand and then up."""
        back = before(tool).position - tool.position if leans(tool) else np.zeros(3)
        way = [share * back for share in (0.4, 0.7, 1.0)] if leans(tool) else []
        way += [back + np.array([0.0, 0.0, height]) for height in RISES]
        free = not any(self._probe.touches(thing, pose.shifted(offset)) for offset in way)
        self._probe.place(thing, pose)
        return free

    def _pinches_others(self, joints: FloatArray, thing: str, widest: float, strictness: Strictness) -> bool:
        """Whether the closing fingers would meet something besides the thing, such as the wall of its neighbour."""
        closing = (opening for opening in CLOSING if opening < widest)
        cautious = strictness.cautious
        return any(self._probe.collides(joints, opening, ignored=(thing,), cautious=cautious) for opening in closing)

    def _place(
        self, atom: Atom, thing: Pose, tool: Pose, joints: FloatArray, category: str, strictness: Strictness
    ) -> tuple[float, Pose] | None:
        """The gentlest way found to let go of the thing, and how far it drops [m]."""
        grip = thing.inverse() @ tool
        yaw = yaw_of(thing)
        best: tuple[float, Pose] | None = None
        unsteady: tuple[float, Pose] | None = None
        patience = PATIENCE
        for angle in self._places.turns(atom, yaw):
            for spot in self._spots(atom, yaw + angle, category):
                falls = atom.predicate == "in" and not self._places.narrow(atom)
                drops = DROPS if falls else DROPS[:2]
                led = self._led(tool, spot.shifted((0.0, 0.0, HOVER)) @ grip, joints, strictness)
                if led is None:
                    continue
                tried = drops[: None if best is None else 2]
                found = self._released(atom.arguments[0], spot, grip, led, tried, strictness)
                if found is not None and found[0] > GENTLE and not self._places.settles(atom, found[1]):
                    unsteady, found = unsteady or found, None
                best = found or best
                patience -= best is not None
                if best is not None and (best[0] <= GENTLE or patience < 0):
                    return best
        return best or unsteady

    def _spots(self, atom: Atom, yaw: float, category: str) -> list[Pose]:
        """Where the thing may come to rest at a yaw [rad]. The same until the probe is renewed, so looked for once."""
        if self._seen != self._probe.renewals:
            self._seen = self._probe.renewals
            self._known.clear()
        if (atom, yaw) not in self._known:
            found = self._places.of(atom, yaw, object_properties(category).centre)
            self._known[atom, yaw] = list(itertools.islice(found, MAX_SPOTS))
        return self._known[atom, yaw]

    def _released(
        self, thing: str, spot: Pose, grip: Pose, near: FloatArray, drops: Sequence[float], strictness: Strictness
    ) -> tuple[float, Pose] | None:
        """Where to let go of the thing so that it comes to rest at a spot: as low as the hand can."""
        for height in drops:
            pose, above = spot.shifted((0.0, 0.0, height)), spot.shifted((0.0, 0.0, height + HOVER))
            self._probe.place(thing, above)
            joints = self._clear(above @ grip, near, HOLDING, strictness, thing)
            self._probe.place(thing, pose)
            if joints is not None and self._clear(pose @ grip, joints, HOLDING, strictness, thing) is not None:
                return height, pose
        return None

    def _led(self, start: Pose, end: Pose, joints: FloatArray, strictness: Strictness) -> FloatArray | None:
        """Joints (7,) that the arm's control comes to on the straight way; None if a joint's limit ends it before."""
        if not strictness.cautious:
            return joints
        return self._reach.along(poses_between(start, end, STOPS), joints)

    def _clear(
        self, tool: Pose, near: FloatArray, opening: float, strictness: Strictness, carried: str | None = None
    ) -> FloatArray | None:
        """Joints (7,) at a pose of the hand if it is in reach and nothing is in the way, else None."""
        joints = self._reach.joints(tool, near)
        cautious = strictness.cautious
        if joints is None or self._probe.collides(joints, opening, carried=carried, cautious=cautious):
            return None
        if strictness.agile and self._reach.agility(joints) < AGILE:
            return None
        return joints


def yaw_of(pose: Pose) -> float:
    """How a pose is turned about the vertical [rad]."""
    axis = pose.axis(0)
    return math.atan2(axis[1], axis[0])
