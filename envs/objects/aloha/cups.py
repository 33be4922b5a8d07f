"""Cups and beads for pouring."""

import math
from collections.abc import Callable
from functools import partial

import mujoco

from ambidex.envs.objects.building.mesh import Colour
from ambidex.envs.objects.building.prop_builder import PropBuilder
from ambidex.envs.objects.building.shapes import revolve

INNER_RADIUS, WALL, FLOOR, CUP_HEIGHT = 0.025, 0.003, 0.004, 0.085  # [m]
FOOT = (INNER_RADIUS + WALL) / math.sqrt(2.0)  # half the side of the square that a cup stands on [m]
CUP_DENSITY, BEAD_DENSITY = 700.0, 1000.0  # [kg/m^3]
BEAD_RADIUS = 0.007  # [m]
BEAD_DAMPING = 5e-4  # beads come to rest by it, not by friction: docs/decisions/0029 [N s/m and N m s]


def cup(name: str, colour: Colour) -> Callable[[], mujoco.MjSpec]:
    """Makes a straight cup whose origin is in the middle of its base."""
    return partial(_cup, name, colour)


def bead(name: str, colour: Colour) -> Callable[[], mujoco.MjSpec]:
    """Makes a bead."""
    return partial(_bead, name, colour)


def _cup(name: str, colour: Colour) -> mujoco.MjSpec:
    builder = PropBuilder(name, density=CUP_DENSITY)
    outer = INNER_RADIUS + WALL
    # The cup stands on a box, which has four contacts with the table; a cylinder has one there and would spin on it.
    builder.box((0, 0, FLOOR / 2), (FOOT, FOOT, FLOOR / 2), colour)
    builder.cylinder((0, 0, FLOOR * 0.75), outer - 0.001, FLOOR * 0.25, colour)
    builder.ring(INNER_RADIUS, FLOOR / 2, CUP_HEIGHT, WALL, colour, count=12)
    builder.hide_shapes()
    outside = [(0.0, 0.0), (outer - 0.002, 0.0), (outer, 0.002), (outer, CUP_HEIGHT)]
    builder.look(revolve([*outside, (INNER_RADIUS, CUP_HEIGHT), (INNER_RADIUS, FLOOR), (0.0, FLOOR)], 28), colour)
    return builder.spec


def _bead(name: str, colour: Colour) -> mujoco.MjSpec:
    builder = PropBuilder(name, density=BEAD_DENSITY, damping=BEAD_DAMPING)
    builder.ball(BEAD_RADIUS, colour)
    return builder.spec
