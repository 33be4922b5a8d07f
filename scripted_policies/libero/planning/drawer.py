"""Hands that can pull a drawer open or push it shut, with room for the arm all the way."""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ambidex.envs.simulation.pose import Pose
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.context import Workplace
from ambidex.scripted_policies.libero.geometry import (
    DOWN,
    Articulation,
    advanced,
    both_ways,
    pointing,
    poses_between,
    turn_between,
)
from ambidex.scripted_policies.libero.planning.grasps import TIP

# FOLDED scripted_policies.libero.leeway: How much a hand at a drawer is allowed. Where nothing is found, more is.


@dataclass(frozen=True, kw_only=True)
class Leeway:
    """What is allowed to a hand that moves a drawer.

    Attributes:
        close: It may pass things without a margin.
        elsewhere: The arm need not get there from its posture.
        shoves: It may shove loose things away.
    """

    close: bool = False
    elsewhere: bool = False
    shoves: bool = False


# FOLDED scripted_policies.libero.stroke: One way to move a drawer.


@dataclass(frozen=True, eq=False)
class Stroke:
    """Two poses of the hand.

    Attributes:
        tool: Where it takes hold of the drawer, or touches it.
        end: Where it is when the drawer is where it should be.
    """

    tool: Pose
    end: Pose


BACK = 0.04  # from which the hand comes to the bar [m]
TILTS = tuple(math.radians(angle) for angle in (45, 60, 75, 30, 90, 15, 0))  # of the hand from straight down
ACROSS, ALONG = 0.035, 0.078  # openings that have to fit across the bar, and around its ends [m]
PULL_HEADINGS = (0.0, 0.5, -0.5, 0.9, -0.9)  # of a pulling hand [rad]
OUTWARDS = (0.0, 0.005)  # of the grip site from the bar's middle [m]
PUSH_TILTS = tuple(math.radians(angle) for angle in (38, 50, 30, 65, 20))
LEANS = (0.0, math.radians(20))  # how much further the hand leans when the drawer is shut
HEADINGS = (0.0, 0.5, -0.5)  # of a pushing hand to either side [rad]
BESIDE = (0.0, 0.055, -0.055, 0.08, -0.08)  # from the handle's middle, where the bar or the front is pushed [m]
FRONT, BAR = 0.0223, -0.0035  # from the handle's middle back to the front, and out to the face of the bar [m]
FINGER = 0.009  # half of it in the direction of the push [m]
FLAT = 0.005  # of the ends of the fingers below the bar's middle [m]
STANDOFF = 0.003  # of the finger tips before they push [m]
OUT, ABOVE = 0.022, 0.1  # from where a pushing hand comes: out and up from the front [m]
STOPS = 5  # on the way to where a hand begins that are looked at
LEEWAYS = (
    Leeway(),
    Leeway(close=True),
    Leeway(close=True, shoves=True),
    Leeway(close=True, shoves=True, elsewhere=True),
)
MOST = 6  # hands to choose from

Ways = Callable[[Leeway], Iterator[Stroke]]


class DrawerPlan:
    """Tries hands against the copy of the world in a probe."""

    def __init__(self, work: Workplace, drawer: Articulation, handle: str) -> None:
        self._work, self._drawer, self._handle = work, drawer, handle

    def pulls(self, end: float) -> list[Stroke]:
        """Hands that can pull the drawer to a joint position [m], to choose from.

        By the two ends of the bar if there is one: that hand is level, and passes between what is above and below.
        """
        return self._first((lambda leeway: self._at_ends(end, leeway), lambda leeway: self._across(end, leeway)))

    def pushes(self, end: float) -> list[Stroke]:
        """Closed hands that can push the drawer shut, their ends where the joint would be at `end` [m]."""
        return self._first((lambda leeway: self._pushing(end, leeway),))

    def _first(self, ways: Sequence[Ways]) -> list[Stroke]:
        """The strictest that there are."""
        self._work.probe.renew()
        for way, leeway in itertools.product(ways, LEEWAYS):
            found = list(itertools.islice(way(leeway), MOST))
            if found:
                return found
        return []

    def _at_ends(self, end: float, leeway: Leeway) -> Iterator[Stroke]:
        bar = self._work.scene.site_pose(self._handle)
        for tilt in TILTS:
            approach = self._approach(tilt, 0.0)
            for tool in self._nearer_first(Pose(bar.position, pointing(approach, bar.axis(0)))):
                yield from self._pulling(tool, ALONG, end, leeway)

    def _across(self, end: float, leeway: Leeway) -> Iterator[Stroke]:
        """Around the bar, a finger above and one below."""
        bar = self._work.scene.site_pose(self._handle)
        for heading, out, tilt in itertools.product(PULL_HEADINGS, OUTWARDS, TILTS):
            approach = self._approach(tilt, heading)
            spot = bar.position - out * approach
            for tool in self._nearer_first(Pose(spot, pointing(approach, np.cross(approach, bar.axis(0))))):
                yield from self._pulling(tool, ACROSS, end, leeway)

    def _pulling(self, tool: Pose, opening: float, end: float, leeway: Leeway) -> Iterator[Stroke]:
        """The stroke, if there is room for it."""
        moved = self._drawer.carried(tool, end - self._drawer.position)
        at = self._led((advanced(tool, -BACK), tool), opening, leeway)
        if at is not None and self._ends(moved, at, opening, end, self._loose(leeway), leeway):
            yield Stroke(tool, moved)

    def _pushing(self, end: float, leeway: Leeway) -> Iterator[Stroke]:
        for beside, tilt, heading in itertools.product(BESIDE, PUSH_TILTS, HEADINGS):
            for tool in self._nearer_first(self._touching(beside, tilt, heading)):
                before = tool.shifted(-OUT * self._drawer.axis)
                at = self._led((before.shifted((0.0, 0.0, ABOVE)), before, tool), 0.0, leeway)
                if at is None:
                    continue
                for lean in LEANS:
                    ways = both_ways(self._touching(beside, tilt + lean, heading))
                    leaning = min(ways, key=lambda way: turn_between(tool, way))
                    shut = self._drawer.carried(leaning, -self._drawer.position)
                    if self._ends(shut, at, 0.0, 0.0, self._work.task.problem.objects, leeway):
                        yield Stroke(tool, self._drawer.carried(shut, end))

    def _touching(self, beside: float, tilt: float, heading: float) -> Pose:
        """A closed hand whose fingers nearly touch the drawer, its bar or beside it the front."""
        handle, inwards = self._work.scene.site_pose(self._handle), self._drawer.axis
        approach = self._approach(tilt, heading)
        touch = handle.position + beside * handle.axis(0) + (FRONT if beside else BAR) * inwards
        # The bar meets the flat of the fingers: over their ends it slips, and is hooked on the way out.
        lower = 0.0 if beside else FINGER * math.sin(tilt) + FLAT
        tip: FloatArray = touch - TIP * approach - (STANDOFF + FINGER * math.cos(tilt)) * inwards
        return Pose(tip - [0.0, 0.0, lower], pointing(approach, np.cross(approach, [0.0, 0.0, 1.0])))

    def _approach(self, tilt: float, heading: float) -> FloatArray:
        along = self._work.scene.site_pose(self._handle).axis(0)
        level = math.cos(heading) * self._drawer.axis + math.sin(heading) * along
        return np.asarray(math.cos(tilt) * np.array(DOWN) + math.sin(tilt) * level)

    def _led(self, tools: Sequence[Pose], opening: float, leeway: Leeway) -> FloatArray | None:
        """Joints (7,) at the last of several poses with the drawer where it is, if the hand touches nothing."""
        work, probe = self._work, self._work.probe
        probe.turn(self._drawer.joint, self._drawer.position)
        at = self._brought(tools[0], leeway)
        ignored, cautious = self._loose(leeway), not leeway.close
        for tool in tools:
            at = None if at is None else work.reach.joints(tool, at)
            if at is None or probe.collides(at, opening, ignored=ignored, cautious=cautious):
                return None
        return at

    def _brought(self, tool: Pose, leeway: Leeway) -> FloatArray | None:
        """Joints (7,) that the arm's control comes to near a pose; None if a joint's limit ends the way before."""
        work = self._work
        if leeway.elsewhere:
            return work.joints()
        return work.reach.along(poses_between(work.hand.tool(), tool, STOPS), work.joints())

    def _nearer_first(self, tool: Pose) -> list[Pose]:
        """The hand, and the same with the fingers exchanged."""
        here = self._work.hand.tool()
        return sorted(both_ways(tool), key=lambda way: turn_between(here, way))

    def _ends(
        self, tool: Pose, at: FloatArray, opening: float, end: float, ignored: Iterable[str], leeway: Leeway
    ) -> bool:
        """Whether the hand gets there and touches nothing with the drawer at `end` [m]; what is ignored gives way."""
        moved = self._work.reach.joints(tool, at)
        self._work.probe.turn(self._drawer.joint, end)
        cautious = not leeway.close
        return moved is not None and not self._work.probe.collides(moved, opening, ignored=ignored, cautious=cautious)

    def _loose(self, leeway: Leeway) -> Iterable[str]:
        """What may be shoved away."""
        return self._work.task.problem.objects if leeway.shoves else ()
