"""Plans hand motions that pull a drawer open or push it shut, with room for the arm at both ends."""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ambidex.envs.simulation.pose import Pose, angle_between
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.context import SkillContext
from ambidex.scripted_policies.libero.geometry import DOWN, FixtureJoint, advanced, tool_poses
from ambidex.scripted_policies.libero.planning.grasps import TIP

BACK = 0.04  # from the bar, where a pulling hand comes from [m]
PULL_TILTS = tuple(math.radians(angle) for angle in (45, 60, 75, 30, 90, 15, 0))  # of the hand from straight down
PULL_HEADINGS = (0.0, 0.5, -0.5, 0.9, -0.9)  # of a pulling hand to either side [rad]
ACROSS_GAP, ENDS_GAP = 0.035, 0.078  # of fingers that fit across the bar, and around its ends [m]
OUTWARDS = (0.0, 0.005)  # of the grip site from the bar's middle [m]
PUSH_TILTS = tuple(math.radians(angle) for angle in (38, 50, 30, 65, 20))
PUSH_HEADINGS = (0.0, 0.5, -0.5)  # of a pushing hand to either side [rad]
EXTRA_TILTS = (0.0, math.radians(20))  # of a pushing hand when the drawer is shut, beyond that at the start
BESIDE = (0.0, 0.055, -0.055, 0.08, -0.08)  # from the handle's middle, where the bar or the front is pushed [m]
FRONT, BAR = 0.0223, -0.0035  # from the handle's middle inwards to the front, and outwards to the face of the bar [m]
FINGER = 0.009  # half the thickness of a finger in the direction of the push [m]
FLAT = 0.005  # of the finger tips below the bar's middle [m]
STANDOFF = 0.003  # of the fingers from the drawer before they push [m]
OUT, ABOVE = 0.022, 0.1  # from the front outwards and up, where a pushing hand comes from [m]
STOPS = 5  # checked on the line to the start of a motion
MAX_MOTIONS = 6


@dataclass(frozen=True, kw_only=True)
class DrawerTolerances:
    """What a drawer motion may do. If none is found, the search is repeated with more tolerance.

    Attributes:
        cautious: Hand and arm keep a margin from everything.
        shoves: The hand may shove objects away.
        any_route: The arm need not get there straight from its present posture.
    """

    cautious: bool = True
    shoves: bool = False
    any_route: bool = False


TOLERANCES = (
    DrawerTolerances(),
    DrawerTolerances(cautious=False),
    DrawerTolerances(cautious=False, shoves=True),
    DrawerTolerances(cautious=False, shoves=True, any_route=True),
)


DrawerMotion = tuple[Pose, Pose]
"""The hand where it grasps the drawer or starts to push, and where it is when the drawer has reached its goal."""

Grips = Iterator[tuple[Pose, float]]
"""Poses of the hand at the bar, and distances between the finger pads [m]."""


class DrawerPlanner:
    """Searches motions of one drawer, given its joint and the site of its handle, a bar along the site's x axis."""

    def __init__(self, context: SkillContext, joint: FixtureJoint, handle: str) -> None:
        self._context, self._joint, self._handle = context, joint, handle

    def pulls(self, end: float) -> list[DrawerMotion]:
        """Motions that pull the drawer to a joint position [m].

        By the two ends of the bar if possible: then the hand is level, and fits between what is above and below.
        """
        return self._first(
            partial(self._pulls, self._grips_at_ends, end), partial(self._pulls, self._grips_across, end)
        )

    def pushes(self, end: float) -> list[DrawerMotion]:
        """Motions of a closed hand that push the drawer shut, and end where the joint would be at `end` [m]."""
        return self._first(partial(self._pushes, end))

    def _first(self, *searches: Callable[[DrawerTolerances], Iterator[DrawerMotion]]) -> list[DrawerMotion]:
        """The first motions found, with as little tolerance as possible."""
        self._context.collisions.sync()
        for search, tolerances in itertools.product(searches, TOLERANCES):
            found = list(itertools.islice(search(tolerances), MAX_MOTIONS))
            if found:
                return found
        return []

    def _pulls(self, grips: Callable[[], Grips], end: float, tolerances: DrawerTolerances) -> Iterator[DrawerMotion]:
        for tool, gap in grips():
            moved = self._joint.moved(tool, end - self._joint.position)
            joints = self._free_joints_along((advanced(tool, -BACK), tool), gap, tolerances)
            ignored, cautious = self._shoved(tolerances), tolerances.cautious
            if joints is not None and self._is_free(moved, joints, gap, end, ignored=ignored, cautious=cautious):
                yield tool, moved

    def _grips_at_ends(self) -> Grips:
        bar = self._context.scene.site_pose(self._handle)
        for tilt in PULL_TILTS:
            for tool in self._nearest_first(tool_poses(bar.position, self._approach(tilt, 0.0), bar.axis(0))):
                yield tool, ENDS_GAP

    def _grips_across(self) -> Grips:
        """One finger above the bar and one below."""
        bar = self._context.scene.site_pose(self._handle)
        for heading, out, tilt in itertools.product(PULL_HEADINGS, OUTWARDS, PULL_TILTS):
            approach = self._approach(tilt, heading)
            tools = tool_poses(bar.position - out * approach, approach, np.cross(approach, bar.axis(0)))
            yield from ((tool, ACROSS_GAP) for tool in self._nearest_first(tools))

    def _pushes(self, end: float, tolerances: DrawerTolerances) -> Iterator[DrawerMotion]:
        objects, cautious = self._context.task.problem.objects, tolerances.cautious
        for beside, tilt, heading in itertools.product(BESIDE, PUSH_TILTS, PUSH_HEADINGS):
            for tool in self._nearest_first(self._touching(beside, tilt, heading)):
                before = tool.shifted(-OUT * self._joint.axis)
                stops = (before.shifted((0.0, 0.0, ABOVE)), before, tool)
                joints = self._free_joints_along(stops, 0.0, tolerances)
                if joints is None:
                    continue
                for extra_tilt in EXTRA_TILTS:
                    tilted = self._touching(beside, tilt + extra_tilt, heading)
                    last = min(tilted, key=lambda option: angle_between(tool, option))
                    shut = self._joint.moved(last, -self._joint.position)
                    if self._is_free(shut, joints, 0.0, 0.0, ignored=objects, cautious=cautious):
                        yield tool, self._joint.moved(shut, end)

    def _touching(self, beside: float, tilt: float, heading: float) -> tuple[Pose, Pose]:
        """Closed hands whose fingers nearly touch the bar or, beside the handle's middle, the front."""
        handle, inwards = self._context.scene.site_pose(self._handle), self._joint.axis
        approach = self._approach(tilt, heading)
        touch = handle.position + beside * handle.axis(0) + (FRONT if beside else BAR) * inwards
        # The bar is pushed by the flat of the fingers: over the tips it would slip, and catch on the way out.
        lower = 0.0 if beside else FINGER * math.sin(tilt) + FLAT
        grip: FloatArray = touch - TIP * approach - (STANDOFF + FINGER * math.cos(tilt)) * inwards
        return tool_poses(grip - [0.0, 0.0, lower], approach, np.cross(approach, [0.0, 0.0, 1.0]))

    def _approach(self, tilt: float, heading: float) -> FloatArray:
        """Direction (3,) in which the hand points."""
        along = self._context.scene.site_pose(self._handle).axis(0)
        level = math.cos(heading) * self._joint.axis + math.sin(heading) * along
        return np.asarray(math.cos(tilt) * np.array(DOWN) + math.sin(tilt) * level)

    def _free_joints_along(self, tools: Sequence[Pose], gap: float, tolerances: DrawerTolerances) -> FloatArray | None:
        """Joints (7,) at the last of several poses with the drawer as it is; None if the hand collides at one."""
        context = self._context
        context.collisions.set_joint(self._joint.name, self._joint.position)
        start = context.posture()
        joints = start.joints if tolerances.any_route else context.reach.joints_on_line(start, tools[0], STOPS)
        ignored = self._shoved(tolerances)
        for tool in tools:
            if joints is not None:
                joints = context.reach.free_joints_at(tool, joints, gap, ignored=ignored, cautious=tolerances.cautious)
        return joints

    def _is_free(
        self, tool: Pose, near: FloatArray, gap: float, end: float, *, ignored: Iterable[str], cautious: bool
    ) -> bool:
        """Whether the hand reaches a pose and collides with nothing that counts, with the drawer at `end` [m]."""
        self._context.collisions.set_joint(self._joint.name, end)
        return self._context.reach.free_joints_at(tool, near, gap, ignored=ignored, cautious=cautious) is not None

    def _nearest_first(self, tools: tuple[Pose, Pose]) -> list[Pose]:
        """The same poses, the one nearer to the hand's present orientation first."""
        here = self._context.hand.tool_pose
        return sorted(tools, key=lambda tool: angle_between(here, tool))

    def _shoved(self, tolerances: DrawerTolerances) -> Iterable[str]:
        """Objects that may be shoved away."""
        return self._context.task.problem.objects if tolerances.shoves else ()
