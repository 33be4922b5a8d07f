"""How wide initial positions and yaws are drawn: as in LIBERO, or wider."""

import math
from dataclasses import dataclass

from ambidex.envs.arenas.arena import Arena
from ambidex.envs.objects.properties import object_properties
from ambidex.envs.task import UniformPose
from ambidex.envs.tasks.libero.bddl.problem import Problem, Range
from ambidex.envs.tasks.libero.goals.world import body_name

Interval = tuple[float, float]
SHRINKING = ("libero_tabletop_manipulation", "libero_floor_manipulation")
"""Problems in which LIBERO subtracts an object's radius from its region at both ends."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Widths of the distribution of initial states.

    Attributes:
        table: Minimum half-width of the range of an object on the workspace [m].
        fixture: Likewise of the range of a fixture.
        yaw: Yaw added to LIBERO's range in both directions [rad].
    """

    table: float
    fixture: float
    yaw: float

    def object_range(self, given: Range, radius: float, problem: str) -> Range:
        """Range of positions of an object of this radius [m] in a region with the range `given`."""
        less = radius if problem in SHRINKING else 0.0
        x0, y0, x1, y1 = given
        (x0, x1), (y0, y1) = _shrunk((x0, x1), less), _shrunk((y0, y1), less)
        return _widened((x0, y0, x1, y1), self.table)

    def fixture_range(self, given: Range) -> Range:
        """Range of positions of a fixture in a region with the range `given`."""
        return _widened(given, self.fixture)

    def yaws(self, given: Interval) -> Interval:
        """Range of the yaw [rad] of an object whose range in LIBERO is `given`."""
        return given[0] - self.yaw, given[1] + self.yaw


SPREADS = {
    "published": Spread(table=0.0, fixture=0.0, yaw=0.0),
    "wide": Spread(table=0.04, fixture=0.015, yaw=math.radians(15)),
}


def workspace_ranges(problem: Problem, arena: Arena, spread: Spread) -> dict[str, tuple[UniformPose, ...]]:
    """Body of each object that is placed on the workspace, with nothing in or on it -> the ranges it is placed in."""
    placements = [atom.arguments for atom in problem.placements()]
    carrying = {problem.owner(support) for _, support in placements}
    found = {}
    for name, support in placements:
        if name not in problem.objects or name in carrying or problem.owner(support) != problem.workspace:
            continue
        shape = object_properties(problem.objects[name])
        ranges = (
            arena.in_world(spread.object_range(given, shape.horizontal_radius, problem.problem))
            for given in problem.regions[support].ranges
        )
        z, yaw = arena.surface_z, spread.yaws(shape.initial_yaw)
        found[body_name(name)] = tuple(
            UniformPose(low=(x0, y0, z), high=(x1, y1, z), yaw=yaw) for x0, y0, x1, y1 in ranges
        )
    return found


def _shrunk(interval: Interval, less: float) -> Interval:
    """As in LIBERO, where an interval narrower than 2 * less is reversed and can become wider."""
    low, high = interval[0] + less, interval[1] - less
    return min(low, high), max(low, high)


def _widened(given: Range, least: float) -> Range:
    x0, y0, x1, y1 = given
    (x0, x1), (y0, y1) = _at_least((x0, x1), least), _at_least((y0, y1), least)
    return x0, y0, x1, y1


def _at_least(interval: Interval, half: float) -> Interval:
    middle = (interval[0] + interval[1]) / 2
    return min(interval[0], middle - half), max(interval[1], middle + half)
