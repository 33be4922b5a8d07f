"""How each category can be held, from its box and shape."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ambidex.envs.objects.building.rings import Ring
from ambidex.envs.objects.dishes import HANDLE_THICKNESS, bowl_wall, handle_heights
from ambidex.envs.objects.properties import ObjectProperties, object_properties
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.geometry import DOWN, pointing

# FOLDED scripted_policies.libero.grasp: One way to hold a thing.


@dataclass(frozen=True, eq=False)
class Grasp:
    """A grasp.

    Attributes:
        name: What is held, for people.
        tool: Pose of the grip site in the thing's body frame.
        opening: Distance between the pads before closing [m].
        rank: Better grasps have lower ranks; a rank counts as much as a radian of turning the hand.
    """

    name: str
    tool: Pose
    opening: float
    rank: float = 0.0


TIP = 0.0085  # how far the finger tips reach beyond the grip site [m]
OPEN = 0.08  # between the open pads [m]
WIDEST = 0.072  # what the hand closes on [m]
DEEPEST = 0.026  # of the grip site below a thing's top, so that the palm stays clear [m]
CLEAR = 0.003  # of the tips above what the thing stands on [m]
EDGE = 0.014  # of the grip site below a book's upper edge [m]
BESIDE = 0.025  # of it from the middle of that edge [m]
RIM_ANGLES = 20

Tilts = tuple[tuple[float, float], ...]
TILTS: Tilts = (
    (0.0, 0.0),
    (0.4, 0.5),
    (0.75, 1.0),
)  # of the hand from straight down, and what that costs in rank [rad]
PLATE_TILTS: Tilts = ((0.5, 0.0), (0.35, 0.3), (0.0, 2.0))  # with the slope of its rim, it hangs less
Maker = Callable[[ObjectProperties], Iterator[Grasp]]


def grasps(category: str) -> tuple[Grasp, ...]:
    """All grasps of a category, in no order. Fixtures and containers have none."""
    return tuple(_MAKERS.get(category, _block)(object_properties(category)))


def from_above(
    name: str, position: object, closing: object, opening: float = OPEN, rank: float = 0.0
) -> Iterator[Grasp]:
    """Grasps with the hand pointing down in the thing's frame, or leaning across the closing direction."""
    across = np.cross(DOWN, np.asarray(closing, np.float64))
    for tilt, cost in TILTS:
        for side in (1.0, -1.0) if tilt else (1.0,):
            approach = math.cos(tilt) * np.array(DOWN) + side * math.sin(tilt) * across
            yield Grasp(name, Pose.at(position, pointing(approach, closing)), opening, rank + cost)


def around(
    middle: FloatArray, radius: float, height: float, name: str = "rim", tilts: Tilts = TILTS
) -> Iterator[Grasp]:
    """Grasps of a round wall from above, one finger inside and one outside.

    Args:
        middle: Centre of the circle (2,) [m].
        radius: Of the middle of the wall where it is held [m].
        height: Of the grip site [m].
        name: What is held.
        tilts: How far the hand may lean outwards.
    """
    for angle in np.arange(RIM_ANGLES) * (2 * math.pi / RIM_ANGLES):
        out = np.array([math.cos(angle), math.sin(angle), 0.0])
        spot = (*(middle + radius * out[:2]), height)
        for tilt, rank in tilts:
            approach = math.cos(tilt) * np.array(DOWN) - math.sin(tilt) * out
            yield Grasp(name, Pose.at(spot, pointing(approach, out)), OPEN, rank)


def _block(given: ObjectProperties) -> Iterator[Grasp]:
    """Across the narrower side, near the middle of the longer one."""
    x, y, _ = given.centre
    width, length, _ = given.size
    height = _grip_height(given)
    for closing, across, along, free in (((1, 0, 0), width, length, (0, 1)), ((0, 1, 0), length, width, (1, 0))):
        if across > WIDEST:
            continue
        for off in (0.0, 0.2 * along, -0.2 * along) if along > 0.05 else (0.0,):
            rank = 20.0 * abs(off) / along + 8.0 * max(0.0, across - 0.06) / 0.012 * 0.3 + (across > along) * 0.3
            yield from from_above("sides", (x + free[0] * off, y + free[1] * off, height), closing, rank=rank)


def _book(given: ObjectProperties) -> Iterator[Grasp]:
    """As a block, and nearer to the upper edge, where a leaning palm stays clear of it."""
    yield from _block(given)
    x, y, _ = given.centre
    for off in (0.0, BESIDE, -BESIDE):
        spot = (x, y + off, given.high[2] - EDGE)
        yield from from_above("upper edge", spot, (1, 0, 0), rank=2.0 if off == 0.0 else 5.0)


def _round(given: ObjectProperties) -> Iterator[Grasp]:
    """A standing bottle: any side."""
    height = _grip_height(given)
    for angle in np.arange(12) * (math.pi / 12):
        yield from from_above("sides", (*given.centre[:2], height), (math.cos(angle), math.sin(angle), 0.0))


def _grip_height(given: ObjectProperties) -> float:
    deepest = max(given.high[2] - DEEPEST, float(given.centre[2]))
    return max(deepest, given.low[2] + TIP + CLEAR)


def _bowl(given: ObjectProperties) -> Iterator[Grasp]:
    """With the slope of the wall, so that pads and wall are parallel and the bowl stays level in the hand."""
    wall = bowl_wall(given.category)
    slope = math.atan2(wall.upper[0] - wall.lower[0], wall.upper[1] - wall.lower[1])
    height = max(given.high[2] - 0.012, given.low[2] + TIP + 0.012)
    tilts = ((slope, 0.0), (0.5, 0.4), (0.0, 0.6), (0.75, 0.8), (0.95, 1.2))
    return around(np.array(wall.centre), _middle(wall, height), height, tilts=tilts)


def _middle(wall: Ring, height: float) -> float:
    """Radius of the middle of a wall at a height [m]."""
    share = (height - wall.lower[1]) / (wall.upper[1] - wall.lower[1])
    return wall.lower[0] + share * (wall.upper[0] - wall.lower[0]) - wall.thickness / 2


def _plate(given: ObjectProperties) -> Iterator[Grasp]:
    return around(
        given.centre[:2], float(given.size[:2].mean()) / 2 - 0.008, given.low[2] + TIP + 0.009, "edge", PLATE_TILTS
    )


def _mug(given: ObjectProperties) -> Iterator[Grasp]:
    radius = float(given.size[1]) / 2
    middle = np.array([given.low[0] + radius, given.centre[1]])
    return around(middle, radius - 0.0025, given.high[2] - 0.013)


def _moka_pot(given: ObjectProperties) -> Iterator[Grasp]:
    """The knob on the lid, from any side: it is above the centre of mass."""
    for angle in np.arange(12) * (math.pi / 12):
        spot = (float(given.centre[0]), 0.0, given.high[2] - 0.0115)
        yield from from_above("knob", spot, (math.cos(angle), math.sin(angle), 0.0), opening=0.05)


def _frypan(given: ObjectProperties) -> Iterator[Grasp]:
    """The handle, near the pan, where it is lighter to hold."""
    edge = given.low[0] + float(given.size[1])
    for number, along in enumerate((0.045, 0.07, 0.1)):
        spot = (edge + along, float(given.centre[1]), given.high[2] - 0.007)
        yield from from_above("handle", spot, (0.0, 1.0, 0.0), rank=0.2 * number)


_MAKERS: Mapping[str, Maker] = {
    "black_book": _book,
    "yellow_book": _book,
    "porcelain_mug": _mug,
    "white_yellow_mug": _mug,
    "red_coffee_mug": _mug,
    "moka_pot": _moka_pot,
    "chefmate_8_frypan": _frypan,
    "akita_black_bowl": _bowl,
    "white_bowl": _bowl,
    "glazed_rim_porcelain_ramekin": _bowl,
    "plate": _plate,
    "wine_bottle": _round,
}


# FOLDED scripted_policies.libero.side_grasps: Grasps for places that a hand cannot come into from above: all others, and handles held by a hand that lies low.

MUGS = ("porcelain_mug", "white_yellow_mug", "red_coffee_mug")
BACK = 0.003  # of the grip site from the middle of a handle, so that the palm stays clear of it [m]
LEANS = ((45, 0.0), (38, 0.2), (52, 0.2), (30, 0.5), (60, 0.5))  # from straight down [degrees], and the rank


def side_grasps(category: str) -> tuple[Grasp, ...]:
    """All grasps of a category, and those of its handle from the side."""
    return (*grasps(category), *(_handle(category) if category in MUGS else ()))


def _handle(category: str) -> Iterator[Grasp]:
    """The upright bar of a mug's handle."""
    spot = np.array(
        [object_properties(category).high[0] - HANDLE_THICKNESS / 2, 0.0, np.mean(handle_heights(category))]
    )
    for angle, rank in LEANS:
        lean = math.radians(angle)
        approach = math.cos(lean) * np.array(DOWN) - math.sin(lean) * np.array((1.0, 0.0, 0.0))
        yield Grasp("handle", Pose.at(spot - BACK * approach, pointing(approach, (0.0, 1.0, 0.0))), OPEN, rank)


def has_rim(category: str) -> bool:
    """Whether a thing is open above, such as a mug."""
    return any(grasp.name == "rim" for grasp in grasps(category))
