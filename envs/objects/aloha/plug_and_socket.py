"""The plug and the socket block of plug_in."""

import math
from collections.abc import Callable
from functools import partial

import mujoco
import numpy as np

from ambidex.envs.objects.building.mesh import Colour
from ambidex.envs.objects.building.prop_builder import PropBuilder
from ambidex.envs.simulation.pose import quaternion_about, quaternion_product, rotation_matrix

GRIP_HALF_SIZE = (0.02, 0.013, 0.013)  # of the thicker part, about the plug's origin [m]
PIN_HALF_WIDTH, PIN_LENGTH = 0.009, 0.04  # [m]
TIP = GRIP_HALF_SIZE[0] + PIN_LENGTH  # from the plug's origin to the end of its pin, along x [m]
SOCKET_HALF_SIZE = (0.03, 0.024, 0.025)  # [m]
BASE = 0.001  # thickness of the plate on which the block stands: with it alone there are four contacts [m]
FACE = SOCKET_HALF_SIZE[0]  # from the socket's origin to the side with the hole, along x [m]
HOLE_DEPTH = 0.044  # [m]
FUNNEL_DEPTH, FUNNEL_WIDTH = 0.006, 0.0025  # of the slope around the hole, along x and across [m]
FUNNEL_WALL = 0.006  # thickness [m]
FRICTION = 0.3  # of smooth plastic, so that the pin slides along the slope and the walls
ORANGE: Colour = (0.93, 0.50, 0.12)
STEEL: Colour = (0.70, 0.72, 0.75)
BLOCK: Colour = (0.16, 0.36, 0.40)
MOUTH: Colour = (0.86, 0.84, 0.76)


def plug() -> mujoco.MjSpec:
    """A square pin along +x on a thicker part to hold, the origin in the middle of the latter."""
    builder = PropBuilder("plug", friction=FRICTION)
    builder.box((0, 0, 0), GRIP_HALF_SIZE, ORANGE)
    builder.box((TIP - PIN_LENGTH / 2, 0, 0), (PIN_LENGTH / 2, PIN_HALF_WIDTH, PIN_HALF_WIDTH), STEEL)
    return builder.spec


def socket(clearance: float) -> Callable[[], mujoco.MjSpec]:
    """Makes a block with a square hole in its +x side, which is wider than the pin by a clearance [m]."""
    return partial(_socket, PIN_HALF_WIDTH + clearance / 2)


def _socket(hole: float) -> mujoco.MjSpec:
    """Four walls around a hole of a half width [m], each with a slope at the mouth, one behind them and one below."""
    builder = PropBuilder("socket", density=700.0, friction=FRICTION)
    length, width, height = SOCKET_HALF_SIZE
    back, throat = FACE - HOLE_DEPTH, FACE - FUNNEL_DEPTH
    builder.box((0, 0, BASE / 2 - height), (length, width, BASE / 2), BLOCK)
    builder.box(((back - length) / 2, 0, 0), ((back + length) / 2, width, width), BLOCK)
    for turn in np.arange(4) * (math.pi / 2):
        _plate(builder, turn, (back, throat), (hole, width))
        _plate(builder, turn, (throat, FACE), (hole + FUNNEL_WIDTH, width))
        _slope(builder, turn, hole)
    return builder.spec


def _plate(builder: PropBuilder, turn: float, x: tuple[float, float], z: tuple[float, float]) -> None:
    """A box between two x and two z, turned about the x axis; four of them surround a hole without overlap."""
    about_x = quaternion_about((1, 0, 0), turn)
    centre = rotation_matrix(about_x) @ np.array([sum(x), z[1] - z[0], sum(z)]) / 2
    half_size = ((x[1] - x[0]) / 2, sum(z) / 2, (z[1] - z[0]) / 2)
    builder.box(centre, half_size, BLOCK, quaternion=about_x)


def _slope(builder: PropBuilder, turn: float, hole: float) -> None:
    """A plate whose inner side leads from the mouth to the hole, turned about the x axis."""
    angle, reach = math.atan2(FUNNEL_WIDTH, FUNNEL_DEPTH), math.hypot(FUNNEL_WIDTH, FUNNEL_DEPTH)
    about_x, about_y = quaternion_about((1, 0, 0), turn), quaternion_about((0, 1, 0), -angle)
    surface = np.array([FACE - FUNNEL_DEPTH / 2, 0.0, hole + FUNNEL_WIDTH / 2])
    outward = FUNNEL_WALL / 2 * np.array([-math.sin(angle), 0.0, math.cos(angle)])
    half_size = (reach / 2, hole + FUNNEL_WIDTH, FUNNEL_WALL / 2)
    centre = rotation_matrix(about_x) @ (surface + outward)
    builder.box(centre, half_size, MOUTH, quaternion=quaternion_product(about_x, about_y))
