"""A marker pen, and its cap, which is pulled off against friction."""

import math

import mujoco
import numpy as np

from ambidex.envs.objects.building.mesh import Colour, Mesh
from ambidex.envs.objects.building.prop_builder import SLIDE, PropBuilder
from ambidex.envs.objects.building.shapes import Point, box, revolve
from ambidex.envs.simulation.pose import quaternion_about

RADIUS = 0.01  # of the barrel and of the cap [m]
HALF_LENGTH = 0.08  # of the closed marker [m]
CAP_LENGTH = 0.05  # [m]
MOUTH = HALF_LENGTH - CAP_LENGTH  # from the marker's origin to the open end of the cap, along x [m]
SHOULDER = MOUTH - 0.0005  # where the barrel ends, just before the cap [m]
PLUG_LENGTH, BAND_HALF_WIDTH = 0.012, 0.012  # of the coloured rear end, and of the ring around the barrel [m]
NECK_RADIUS, TIP_RADIUS = 0.005, 0.003  # of what the cap covers [m]
NECK_END, TIP = MOUTH + 0.022, MOUTH + 0.032  # where neck and tip end, along x [m]
CAP_WALL = 0.0025  # [m]
CAP_INNER = RADIUS - CAP_WALL  # [m]
CLIP_THICKNESS, CLIP_HALF_WIDTH = 0.0025, 0.0025  # [m]

TRAVEL = 0.02  # way of the cap until it is free [m]
PULL = 3.0  # friction of the cap on its way [N]
PULL_DAMPING = 10.0  # [N s/m]
SEAT_ARMATURE = 0.05  # with it the constraint that holds the cap is stiff along its way [kg]
DRY = (0.998, 0.998, 0.001, 0.5, 2.0)  # of its friction: with the usual impedance it would creep at 40 mm/s below it
STIFF = (0.005, 1.0)  # of the constraint that holds the cap: with the usual one it would lag behind the pull
STIFF_IMPEDANCE = (0.99, 0.999, 0.001, 0.5, 2.0)

WHITE: Colour = (0.92, 0.92, 0.90)
BLUE: Colour = (0.11, 0.30, 0.66)
GREY: Colour = (0.55, 0.57, 0.60)
INK: Colour = (0.07, 0.14, 0.36)
ALONG_X = quaternion_about((0, 1, 0), math.pi / 2)  # turns what is made about z, so that it lies along x


def marker() -> mujoco.MjSpec:
    """A marker along x without its cap, the origin in the middle of what it is with the cap.

    It has flat sides on which it does not roll. Its part "cap_seat", without shapes, slides along x as the cap does.
    """
    builder = PropBuilder("marker", density=1000.0)
    _bar(builder, (-HALF_LENGTH, SHOULDER), RADIUS)
    _bar(builder, (SHOULDER, NECK_END), NECK_RADIUS)
    builder.hide_shapes()
    _look_of_marker(builder)
    builder.part(
        "cap_seat",
        (MOUTH, 0, 0),
        joint=SLIDE,
        axis=(1, 0, 0),
        span=(0.0, TRAVEL),
        damping=PULL_DAMPING,
        armature=SEAT_ARMATURE,
        friction=PULL,
    )
    builder.mass("cap_seat", 0.002, 0.01)
    builder.spec.joint("cap_seat_joint").solimp_friction = DRY
    return builder.spec


def cap() -> mujoco.MjSpec:
    """A cap along x with a clip on its upper side, the origin in the middle of its open end, at its lowest x."""
    builder = PropBuilder("cap", density=1200.0)
    _walls(builder)
    low = np.array([0.008, -CLIP_HALF_WIDTH, RADIUS])
    high = np.array([CAP_LENGTH - 0.002, CLIP_HALF_WIDTH, RADIUS + CLIP_THICKNESS])
    builder.box((low + high) / 2, (high - low) / 2, INK)
    builder.hide_shapes()
    outside: list[Point] = [(CAP_INNER, 0.0), (RADIUS, 0.0), (RADIUS, CAP_LENGTH - 0.002)]
    outside += [(RADIUS - 0.002, CAP_LENGTH), (0.0, CAP_LENGTH)]
    builder.look(_round(outside), BLUE, gloss=0.5)
    builder.look(box(low, high), INK, gloss=0.5)
    builder.look(_round([(0.0, CAP_LENGTH - CAP_WALL), (CAP_INNER, CAP_LENGTH - CAP_WALL), (CAP_INNER, 0.0)]), INK)
    return builder.spec


def _look_of_marker(builder: PropBuilder) -> None:
    rear, band = -HALF_LENGTH + PLUG_LENGTH, RADIUS + 0.0001
    builder.look(_round([(0.0, -HALF_LENGTH), (RADIUS - 0.001, -HALF_LENGTH), (RADIUS, rear)]), BLUE, gloss=0.5)
    builder.look(_round([(RADIUS, rear), (RADIUS, SHOULDER), (NECK_RADIUS, SHOULDER)]), WHITE, gloss=0.5)
    builder.look(_round([(band, -BAND_HALF_WIDTH), (band, BAND_HALF_WIDTH)]), BLUE, gloss=0.5)
    builder.look(_round([(NECK_RADIUS, SHOULDER), (NECK_RADIUS, NECK_END), (TIP_RADIUS, NECK_END)]), GREY)
    builder.look(_round([(TIP_RADIUS, NECK_END), (TIP_RADIUS, TIP - 0.003), (0.0, TIP)]), INK)


def _walls(builder: PropBuilder) -> None:
    """Four walls of the cap, whose hull is an octagon, and its closed end."""
    middle = (CAP_INNER + RADIUS) / 2
    half_size = (CAP_LENGTH / 2, _octagon_side(RADIUS) / 2, CAP_WALL / 2)
    for turn in np.arange(4) * (math.pi / 2):
        centre = (CAP_LENGTH / 2, -middle * math.sin(turn), middle * math.cos(turn))
        builder.box(centre, half_size, BLUE, quaternion=quaternion_about((1, 0, 0), turn))
    builder.box((CAP_LENGTH - CAP_WALL / 2, 0, 0), (CAP_WALL / 2, _octagon_side(RADIUS) / 2, CAP_INNER), BLUE)


def _bar(builder: PropBuilder, x: tuple[float, float], radius: float) -> None:
    """Two crossed boxes between two x, whose hull is an octagon around a circle of a radius [m]."""
    centre, half_length, flat = ((x[0] + x[1]) / 2, 0, 0), (x[1] - x[0]) / 2, _octagon_side(radius) / 2
    builder.box(centre, (half_length, radius, flat), WHITE)
    builder.box(centre, (half_length, flat, radius), WHITE)


def _octagon_side(radius: float) -> float:
    """Side of an octagon around a circle of a radius [m]."""
    return 2.0 * radius * math.tan(math.pi / 8)


def _round(profile: list[Point]) -> Mesh:
    """A surface of revolution about x, of points (radius, x) [m]."""
    return revolve(profile, slices=24).rotated(ALONG_X)
