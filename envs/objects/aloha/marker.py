"""A marker pen, and its cap, which is pulled off against friction."""

import math

import mujoco
import numpy as np

from ambidex.envs.objects.building.mesh import Colour, Mesh, merge
from ambidex.envs.objects.building.prop_builder import SLIDE, PropBuilder
from ambidex.envs.objects.building.shapes import Point, box, revolve
from ambidex.envs.simulation.pose import quaternion_about

RADIUS = 0.01  # of the barrel and of the cap [m]
HALF_LENGTH = 0.08  # of the closed marker [m]
CAP_LENGTH = 0.05  # [m]
MOUTH = HALF_LENGTH - CAP_LENGTH  # from the marker's origin to the open end of the cap, along x [m]
PLUG_LENGTH = 0.012  # of the coloured rear end [m]
NECK_RADIUS, NECK_LENGTH, TIP_LENGTH = 0.005, 0.022, 0.01  # of what the cap covers [m]
TIP = MOUTH + NECK_LENGTH + TIP_LENGTH  # from the marker's origin to the end of its tip, along x [m]
JOINT_GAP = 0.0005  # between the barrel and the cap [m]
CAP_WALL, CLIP_THICKNESS, CLIP_HALF_WIDTH = 0.0025, 0.0025, 0.0025  # [m]
FLAT = RADIUS * math.tan(math.pi / 8)  # half the side of an octagon around the circle [m]

TRAVEL = 0.02  # way of the cap until it is free [m]
PULL = 3.0  # friction of the cap on its way [N]
PULL_DAMPING = 10.0  # [N s/m]
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
    builder = PropBuilder("marker", density=500.0)
    _bar(builder, (-HALF_LENGTH, MOUTH - JOINT_GAP), RADIUS)
    _bar(builder, (MOUTH - JOINT_GAP, MOUTH + NECK_LENGTH), NECK_RADIUS)
    builder.hide_shapes()
    rear, shoulder, neck = -HALF_LENGTH + PLUG_LENGTH, MOUTH - JOINT_GAP, MOUTH + NECK_LENGTH
    builder.look(_round([(0.0, -HALF_LENGTH), (RADIUS - 0.001, -HALF_LENGTH), (RADIUS, rear)]), BLUE, gloss=0.5)
    builder.look(_round([(RADIUS, rear), (RADIUS, shoulder), (NECK_RADIUS, shoulder)]), WHITE, gloss=0.5)
    builder.look(_round([(RADIUS + 0.0001, -0.012), (RADIUS + 0.0001, 0.012)]), BLUE, gloss=0.5)
    builder.look(_round([(NECK_RADIUS, shoulder), (NECK_RADIUS, neck), (0.003, neck)]), GREY)
    builder.look(_round([(0.003, neck), (0.0025, TIP - 0.003), (0.0, TIP)]), INK)
    builder.part(
        "cap_seat",
        (MOUTH, 0, 0),
        joint=SLIDE,
        axis=(1, 0, 0),
        span=(0.0, TRAVEL),
        damping=PULL_DAMPING,
        armature=0.05,
        friction=PULL,
    )
    builder.mass("cap_seat", 0.002, 0.01)
    return builder.spec


def cap() -> mujoco.MjSpec:
    """A cap along x with a clip on its upper side, the origin in the middle of its open end, at its lowest x."""
    builder = PropBuilder("cap", density=1000.0, armature=1e-4)
    inner, end = RADIUS - CAP_WALL, CAP_LENGTH - CAP_WALL
    for turn in np.arange(4) * (math.pi / 2):
        about_x = quaternion_about((1, 0, 0), turn)
        centre = ((CAP_LENGTH / 2), -math.sin(turn) * (inner + RADIUS) / 2, math.cos(turn) * (inner + RADIUS) / 2)
        builder.box(centre, (CAP_LENGTH / 2, FLAT, CAP_WALL / 2), BLUE, quaternion=about_x)
    builder.box(((end + CAP_LENGTH) / 2, 0, 0), (CAP_WALL / 2, FLAT, inner), BLUE)
    low = np.array([0.008, -CLIP_HALF_WIDTH, RADIUS])
    high = np.array([CAP_LENGTH - 0.002, CLIP_HALF_WIDTH, RADIUS + CLIP_THICKNESS])
    builder.box((low + high) / 2, (high - low) / 2, BLUE)
    builder.hide_shapes()
    outside: list[Point] = [(inner, 0.0), (RADIUS, 0.0), (RADIUS, CAP_LENGTH - 0.002), (RADIUS - 0.002, CAP_LENGTH)]
    outside += [(0.0, CAP_LENGTH)]
    builder.look(merge(_round(outside), box(low, high)), BLUE, gloss=0.5)
    builder.look(_round([(0.0, end), (inner, end), (inner, 0.0)]), INK)
    return builder.spec


def _bar(builder: PropBuilder, x: tuple[float, float], radius: float) -> None:
    """Two crossed boxes between two x, whose hull is an octagon around a circle of a radius [m]."""
    centre, half_length = ((x[0] + x[1]) / 2, 0, 0), (x[1] - x[0]) / 2
    flat = radius * math.tan(math.pi / 8)
    builder.box(centre, (half_length, radius, flat), WHITE)
    builder.box(centre, (half_length, flat, radius), WHITE)


def _round(profile: list[Point]) -> Mesh:
    """A surface of revolution about x, of points (radius, x) [m]."""
    return revolve(profile, slices=24).rotated(ALONG_X)
