"""Collision geoms of round walls and round bars, made of a few boxes, which rest stably and collide fast."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ambidex.envs.objects.building.builder import ObjectBuilder
from ambidex.envs.objects.building.shapes import Point
from ambidex.envs.simulation.pose import quaternion_about, quaternion_product

Z, Y = (0.0, 0.0, 1.0), (0.0, 1.0, 0.0)
INSET = 0.0005  # of crossed boxes, all but the first are shorter by this at each end, for fewer contacts [m]


@dataclass(frozen=True, kw_only=True)
class Ring:
    """A wall around z, vertical or sloped outwards.

    Attributes:
        centre: Its centre (x, y) [m].
        lower: Outer radius and z of its lower edge [m].
        upper: Outer radius and z of its upper edge [m], its maximum height and extent along x and y.
        thickness: Of the wall [m].
    """

    centre: Point
    lower: Point
    upper: Point
    thickness: float


def add_ring(builder: ObjectBuilder, ring: Ring, count: int = 8) -> None:
    """Add a ring of `count` boxes, a multiple of four."""
    lower, upper, thickness = np.array(ring.lower), np.array(ring.upper), ring.thickness
    slope = np.arctan2(*(upper - lower))
    for _ in range(5):  # the inner upper edge of a sloped box is its highest, so the outer one must be lower
        top = upper - (0.0, thickness * np.sin(slope))
        slope = np.arctan2(*(top - lower))
    radius, height = (top + lower + thickness * np.array([-np.cos(slope), np.sin(slope)])) / 2
    half_width = (upper[0] - thickness / 2) * np.tan(np.pi / count)
    half_size = np.array([thickness / 2, half_width, np.linalg.norm(top - lower) / 2])
    for turn in np.arange(count) * (2 * np.pi / count):
        place = np.add((*ring.centre, height), (radius * np.cos(turn), radius * np.sin(turn), 0.0))
        builder.add_box(place, half_size, quaternion_product(quaternion_about(Z, turn), quaternion_about(Y, slope)))


def add_round_bar(
    builder: ObjectBuilder,
    centre: Sequence[float],
    radii: Point,
    half_length: float,
    axis: str = "z",
    flat: float = 0.8,
) -> None:
    """Add a round bar of four crossed boxes. It has eight flat sides and can rest on each.

    Args:
        builder: Object it becomes part of.
        centre: Its centre (3,) [m].
        radii: Half its two widths, the first along x [m]; the second along z for axis "y", along y for "z".
        half_length: Half its length [m].
        axis: Its direction, "y" or "z".
        flat: Width of the sides relative to those of an eight-sided bar.
    """
    for turn in np.arange(4) * np.pi / 4:
        # Each box reaches from one flat side to the opposite one; its width follows from the ellipse.
        reach = np.hypot(radii[0] * np.cos(turn), radii[1] * np.sin(turn))
        side = flat * np.tan(np.pi / 8) * np.hypot(radii[0] * np.sin(turn), radii[1] * np.cos(turn))
        about = Z if axis == "z" else (0.0, -1.0, 0.0)
        length = half_length - (INSET if turn else 0.0)
        half_size = (reach, side, length) if axis == "z" else (reach, length, side)
        builder.add_box(centre, half_size, quaternion_about(about, turn))


def add_octagon(builder: ObjectBuilder, centre: Point, bottom: float, side: float, thickness: float) -> None:
    """Add a flat eight-sided floor of two crossed boxes.

    Its flat sides are at a distance `side` from the centre (x, y); its lower side is at the height `bottom` [m].
    """
    for turn, half in ((0.0, thickness / 2), (np.pi / 4, thickness / 2 - INSET)):
        builder.add_box((*centre, bottom + thickness / 2), (side, side, half), quaternion_about(Z, turn))
