"""Round walls and round bars made of a few boxes each, which is what stays put and collides fast."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ambidex.envs.objects.building.builder import ObjectBuilder
from ambidex.envs.objects.building.shapes import Point
from ambidex.envs.simulation.pose import quaternion_about, quaternion_product

Z, Y = (0.0, 0.0, 1.0), (0.0, 1.0, 0.0)
LESS = 0.0005  # of crossed boxes, all but the first end this much earlier, so that fewer contacts have to be solved [m]


@dataclass(frozen=True, kw_only=True)
class Ring:
    """A wall around z, upright or sloped outwards.

    Attributes:
        centre: Its middle (x, y) [m].
        lower: Outer radius and z of its lower edge [m].
        upper: Outer radius and z of its upper edge [m]; nothing of it is higher, or further out on the x and y axes.
        thickness: Of the wall [m].
    """

    centre: Point
    lower: Point
    upper: Point
    thickness: float


def collide_ring(builder: ObjectBuilder, ring: Ring, count: int = 8) -> None:
    """Add a ring of `count` flat pieces, a multiple of four."""
    lower, upper, thickness = np.array(ring.lower), np.array(ring.upper), ring.thickness
    slope = np.arctan2(*(upper - lower))
    for _ in range(5):  # the inner upper edge of a sloped piece is the higher one, which lowers the outer one
        top = upper - (0.0, thickness * np.sin(slope))
        slope = np.arctan2(*(top - lower))
    radius, height = (top + lower + thickness * np.array([-np.cos(slope), np.sin(slope)])) / 2
    half_width = (upper[0] - thickness / 2) * np.tan(np.pi / count)
    half_size = np.array([thickness / 2, half_width, np.linalg.norm(top - lower) / 2])
    for turn in np.arange(count) * (2 * np.pi / count):
        place = np.add((*ring.centre, height), (radius * np.cos(turn), radius * np.sin(turn), 0.0))
        builder.collide_box(place, half_size, quaternion_product(quaternion_about(Z, turn), quaternion_about(Y, slope)))


def collide_bar(
    builder: ObjectBuilder,
    centre: Sequence[float],
    radii: Point,
    half_length: float,
    axis: str = "z",
    flat: float = 0.8,
) -> None:
    """A round bar as four crossed boxes: eight flat sides, on each of which it comes to rest.

    Args:
        builder: Object it becomes part of.
        centre: Its middle (3,) [m].
        radii: Half its two widths, the first along x [m]; the second along z for axis "y", along y for "z".
        half_length: Half its length [m].
        axis: Direction it runs in, "y" or "z".
        flat: Width of the sides as a part of what an eight-sided bar has.
    """
    for turn in np.arange(4) * np.pi / 4:
        # Each box reaches from one flat side to the opposite one; an ellipse is as wide there as its two axes say.
        reach = np.hypot(radii[0] * np.cos(turn), radii[1] * np.sin(turn))
        side = flat * np.tan(np.pi / 8) * np.hypot(radii[0] * np.sin(turn), radii[1] * np.cos(turn))
        about = Z if axis == "z" else (0.0, -1.0, 0.0)
        length = half_length - (LESS if turn else 0.0)
        half_size = (reach, side, length) if axis == "z" else (reach, length, side)
        builder.collide_box(centre, half_size, quaternion_about(about, turn))
