"""Grasps of each category, from its box and shape."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from ambidex.envs.objects.building.rings import Ring
from ambidex.envs.objects.dishes import HANDLE_THICKNESS, bowl_ring, handle_heights
from ambidex.envs.objects.properties import ObjectProperties, object_properties
from ambidex.envs.simulation.pose import Pose, rotation_matrix
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.geometry import (
    CONJUGATE,
    DOWN,
    UPRIGHT_ROTATIONS,
    hand_orientation,
    initial_stance,
)

Tilts = tuple[tuple[float, float], ...]
"""Angles of the hand from straight down [rad], and how much each adds to the rank of a grasp."""

TIP = 0.0085  # length of the finger tips beyond the grip site [m]
OPEN_GAP = 0.08  # between the pads of the open hand [m]
MAX_WIDTH = 0.072  # of what the hand can close on [m]
MAX_DEPTH = 0.026  # of the grip site below an object's top, so that the palm stays clear [m]
TIP_CLEARANCE = 0.003  # of the tips above what the object stands on [m]
EDGE_DEPTH = 0.014  # of the grip site below a book's upper edge [m]
EDGE_OFFSET = 0.025  # of the grip site from the middle of that edge [m]
HANDLE_OFFSET = 0.003  # of the grip site from the middle of a mug's handle, so that the palm stays clear of it [m]
ASIDE_SPARE = 0.005  # between a finger and an object that is not in the middle between the two [m]
ASIDE_RANK = 3.0  # of such a grasp, added
RIM_ANGLES = 20
TILTS: Tilts = ((0.0, 0.0), (0.4, 0.5), (0.75, 1.0))
PLATE_TILTS: Tilts = ((0.5, 0.0), (0.35, 0.3), (0.0, 2.0))  # along the slope of the rim, where the plate sags less
HANDLE_TILTS: Tilts = tuple(
    (math.radians(angle), rank) for angle, rank in ((45, 0.0), (38, 0.2), (52, 0.2), (30, 0.5), (60, 0.5))
)
MUGS = ("porcelain_mug", "white_yellow_mug", "red_coffee_mug")


@dataclass(frozen=True, eq=False)
class Grasp:
    """A grasp.

    Attributes:
        part: The part of the object that is held.
        tool: Pose of the grip site in the object's body frame.
        gap: Distance between the pads before closing [m].
        rank: Better grasps have lower ranks; one rank counts as much as a radian of turning the hand.
    """

    part: str
    tool: Pose
    gap: float
    rank: float = 0.0


Grasps = Iterator[Grasp]


@cache
def top_grasps(category: str, up: int | None = None) -> tuple[Grasp, ...]:
    """Grasps of a category with the hand above the object, in no order.

    Args:
        category: Category of the object.
        up: Which of its axes is up, as in `Stance`; by default that of its initial stance.
    """
    standing = initial_stance(category).up
    up = standing if up is None else up
    grasps = _TOP_GRASPS.get(category, _block) if up == standing else _block
    body = Pose.at((0.0, 0.0, 0.0), UPRIGHT_ROTATIONS[up] * CONJUGATE)
    return tuple(replace(grasp, tool=body @ grasp.tool) for grasp in grasps(_upright_box(category, up)))


def all_grasps(category: str) -> tuple[Grasp, ...]:
    """`top_grasps`, and those of a mug's handle with a tilted hand, which fit into places with a roof."""
    return (*top_grasps(category), *(_handle(category) if category in MUGS else ()))


def has_rim(category: str) -> bool:
    """Whether an object is open at the top, such as a mug."""
    return any(grasp.part == "rim" for grasp in top_grasps(category))


def _upright_box(category: str, up: int) -> ObjectProperties:
    """The properties with the box in a frame whose z axis is the one that is up."""
    properties = object_properties(category)
    rotation = rotation_matrix(UPRIGHT_ROTATIONS[up]).round()
    corners = np.stack([rotation @ properties.low, rotation @ properties.high])
    return replace(properties, low=tuple(corners.min(axis=0)), high=tuple(corners.max(axis=0)))


def from_above(part: str, position: object, closing: object, gap: float = OPEN_GAP, rank: float = 0.0) -> Grasps:
    """Grasps with the hand straight down in the object's frame, or tilted across the closing direction."""
    across = np.cross(DOWN, np.asarray(closing, np.float64))
    for tilt, cost in TILTS:
        for side in (1.0, -1.0) if tilt else (1.0,):
            approach = math.cos(tilt) * np.array(DOWN) + side * math.sin(tilt) * across
            yield Grasp(part, Pose.at(position, hand_orientation(approach, closing)), gap, rank + cost)


def around(centre: FloatArray, radius: float, height: float, part: str = "rim", tilts: Tilts = TILTS) -> Grasps:
    """Grasps of a round wall from above, one finger inside and one outside.

    Args:
        centre: Centre of the circle, shape (2,) [m].
        radius: Of the middle of the wall at the grip site [m].
        height: Of the grip site [m].
        part: What is held.
        tilts: How far the hand may tilt outwards.
    """
    for angle in np.arange(RIM_ANGLES) * (2 * math.pi / RIM_ANGLES):
        outwards = np.array([math.cos(angle), math.sin(angle), 0.0])
        position = (*(centre + radius * outwards[:2]), height)
        for tilt, rank in tilts:
            approach = math.cos(tilt) * np.array(DOWN) - math.sin(tilt) * outwards
            yield Grasp(part, Pose.at(position, hand_orientation(approach, outwards)), OPEN_GAP, rank)


def _block(box: ObjectProperties) -> Grasps:
    """Across the narrower side, near the middle of the longer one."""
    x, y, _ = box.centre
    width, length, _ = box.size
    height = _grip_height(box)
    for closing, across, along, free in (((1, 0, 0), width, length, (0, 1)), ((0, 1, 0), length, width, (1, 0))):
        if across > MAX_WIDTH:
            continue
        for offset in (0.0, 0.2 * along, -0.2 * along) if along > 0.05 else (0.0,):
            rank = 20.0 * abs(offset) / along + 8.0 * max(0.0, across - 0.06) / 0.012 * 0.3 + (across > along) * 0.3
            position = np.array([x + free[0] * offset, y + free[1] * offset, height])
            yield from from_above("sides", position, closing, rank=rank)
            # The finger that touches first pushes the object to the other one; a high one would tip over.
            aside = (OPEN_GAP - across) / 2 - ASIDE_SPARE
            for shift in (aside, -aside) if aside > ASIDE_SPARE and box.size[2] < across else ():
                yield from from_above("sides", position + shift * np.array(closing), closing, rank=rank + ASIDE_RANK)


def _book(box: ObjectProperties) -> Grasps:
    """As a block, and nearer to the upper edge, where a tilted palm stays clear of the book."""
    yield from _block(box)
    x, y, _ = box.centre
    for offset in (0.0, EDGE_OFFSET, -EDGE_OFFSET):
        position = (x, y + offset, box.high[2] - EDGE_DEPTH)
        yield from from_above("upper edge", position, (1, 0, 0), rank=2.0 if offset == 0.0 else 5.0)


def _round(box: ObjectProperties) -> Grasps:
    """Any side of a standing bottle or can."""
    yield from _from_any_side("sides", (*box.centre[:2], _grip_height(box)), OPEN_GAP)


def _from_any_side(part: str, position: object, gap: float) -> Grasps:
    for angle in np.arange(12) * (math.pi / 12):
        yield from from_above(part, position, (math.cos(angle), math.sin(angle), 0.0), gap)


def _grip_height(box: ObjectProperties) -> float:
    deepest = max(box.high[2] - MAX_DEPTH, float(box.centre[2]))
    return max(deepest, box.low[2] + TIP + TIP_CLEARANCE)


def _bowl(box: ObjectProperties) -> Grasps:
    """With the hand along the slope of the wall, so that the pads lie flat on it and the bowl stays level."""
    wall = bowl_ring(box.category)
    slope = math.atan2(wall.upper[0] - wall.lower[0], wall.upper[1] - wall.lower[1])
    height = max(box.high[2] - 0.012, box.low[2] + TIP + 0.012)
    tilts = ((slope, 0.0), (0.5, 0.4), (0.0, 0.6), (0.75, 0.8), (0.95, 1.2))
    return around(np.array(wall.centre), _wall_radius(wall, height), height, tilts=tilts)


def _wall_radius(wall: Ring, height: float) -> float:
    """Radius of the middle of a wall at a height [m]."""
    share = (height - wall.lower[1]) / (wall.upper[1] - wall.lower[1])
    return wall.lower[0] + share * (wall.upper[0] - wall.lower[0]) - wall.thickness / 2


def _plate(box: ObjectProperties) -> Grasps:
    radius = float(box.size[:2].mean()) / 2 - 0.008
    return around(box.centre[:2], radius, box.low[2] + TIP + 0.009, "edge", PLATE_TILTS)


def _mug(box: ObjectProperties) -> Grasps:
    radius = float(box.size[1]) / 2
    centre = np.array([box.low[0] + radius, box.centre[1]])
    return around(centre, radius - 0.0025, box.high[2] - 0.013)


def _moka_pot(box: ObjectProperties) -> Grasps:
    """The knob on the lid, from any side: it is above the centre of mass."""
    yield from _from_any_side("knob", (float(box.centre[0]), 0.0, box.high[2] - 0.0115), 0.05)


def _frypan(box: ObjectProperties) -> Grasps:
    """The handle, near the pan, where the load on the hand is lower."""
    edge = box.low[0] + float(box.size[1])
    for number, along in enumerate((0.045, 0.07, 0.1)):
        position = (edge + along, float(box.centre[1]), box.high[2] - 0.007)
        yield from from_above("handle", position, (0.0, 1.0, 0.0), rank=0.2 * number)


def _handle(category: str) -> Grasps:
    """The upright bar of a mug's handle."""
    outer = object_properties(category).high[0]
    bar = np.array([outer - HANDLE_THICKNESS / 2, 0.0, np.mean(handle_heights(category))])
    for tilt, rank in HANDLE_TILTS:
        approach = math.cos(tilt) * np.array(DOWN) - math.sin(tilt) * np.array((1.0, 0.0, 0.0))
        tool = Pose.at(bar - HANDLE_OFFSET * approach, hand_orientation(approach, (0.0, 1.0, 0.0)))
        yield Grasp("handle", tool, OPEN_GAP, rank)


_TOP_GRASPS: Mapping[str, Callable[[ObjectProperties], Grasps]] = {
    **dict.fromkeys(("black_book", "yellow_book"), _book),
    **dict.fromkeys(MUGS, _mug),
    "moka_pot": _moka_pot,
    "chefmate_8_frypan": _frypan,
    **dict.fromkeys(("akita_black_bowl", "white_bowl", "glazed_rim_porcelain_ramekin"), _bowl),
    "plate": _plate,
    **dict.fromkeys(("wine_bottle", "alphabet_soup", "tomato_sauce"), _round),
}
"""Category -> its grasps; all others are held as blocks."""
