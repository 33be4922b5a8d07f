"""How wide the starts of episodes are drawn: as LIBERO draws them, or wider."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ambidex.envs.tasks.libero.bddl.problem import Range

Interval = tuple[float, float]
SHRINKING = ("libero_tabletop_manipulation", "libero_floor_manipulation")
"""Problems in which LIBERO takes a thing's radius off its region at both ends."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Widths of the starting distribution.

    Attributes:
        table: Least half-width of where an object starts on the workspace [m].
        fixture: Likewise of where a fixture starts.
        yaw: What objects may be turned beyond LIBERO's yaw, either way [rad].
    """

    table: float
    fixture: float
    yaw: float

    def object_range(self, given: Range, radius: float, problem: str) -> Range:
        """Where an object of this radius [m] starts when its region is `given`."""
        less = radius if problem in SHRINKING else 0.0
        x0, y0, x1, y1 = given
        (x0, x1), (y0, y1) = _shrunk((x0, x1), less), _shrunk((y0, y1), less)
        return _widened((x0, y0, x1, y1), self.table)

    def fixture_range(self, given: Range) -> Range:
        """Where a fixture starts when its region is `given`."""
        return _widened(given, self.fixture)

    def yaws(self, given: Interval) -> Interval:
        """How an object is turned [rad] when LIBERO turns it within `given`."""
        return given[0] - self.yaw, given[1] + self.yaw


SPREADS = {
    "published": Spread(table=0.0, fixture=0.0, yaw=0.0),
    "wide": Spread(table=0.04, fixture=0.015, yaw=math.radians(15)),
}


def _shrunk(interval: Interval, less: float) -> Interval:
    """LIBERO draws between the ends even when they have passed each other: a narrow region comes out wider."""
    low, high = interval[0] + less, interval[1] - less
    return min(low, high), max(low, high)


def _widened(given: Range, least: float) -> Range:
    x0, y0, x1, y1 = given
    (x0, x1), (y0, y1) = _at_least((x0, x1), least), _at_least((y0, y1), least)
    return x0, y0, x1, y1


def _at_least(interval: Interval, half: float) -> Interval:
    middle = (interval[0] + interval[1]) / 2
    return min(interval[0], middle - half), max(interval[1], middle + half)


# FOLDED envs.tasks.libero.yaws: How far things are turned about the vertical when an episode starts.

Yaw = tuple[float, float]

QUARTER = (math.pi / 2, math.pi / 2)
HALF = (math.pi, math.pi)
MUG = (-math.pi / 2, -math.pi / 2)
BOOK = (-3 * math.pi / 4, -math.pi / 2)

# LIBERO gives every category a rotation about x, and writes its quaternion in the other order of components: what
# comes out is a turn about the vertical, by pi less the angle.
START_YAWS: Mapping[str, Yaw] = {
    **dict.fromkeys(
        (
            "alphabet_soup",
            "bbq_sauce",
            "butter",
            "chocolate_pudding",
            "cookies",
            "cream_cheese",
            "ketchup",
            "milk",
            "new_salad_dressing",
            "orange_juice",
            "salad_dressing",
            "tomato_sauce",
        ),
        QUARTER,
    ),
    **dict.fromkeys(("porcelain_mug", "red_coffee_mug", "white_yellow_mug"), MUG),
    **dict.fromkeys(("black_book", "yellow_book"), BOOK),
}


def start_yaw(category: str) -> Yaw:
    """Lowest and highest yaw [rad] of an object; all objects of most categories start alike."""
    return START_YAWS.get(category, HALF)
