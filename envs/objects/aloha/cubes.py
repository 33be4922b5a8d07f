"""Coloured cubes."""

from collections.abc import Callable, Mapping
from functools import partial

import mujoco

from ambidex.envs.objects.building.mesh import Colour
from ambidex.envs.objects.building.prop_builder import PropBuilder

COLOURS: Mapping[str, Colour] = {"red": (0.78, 0.11, 0.09), "green": (0.16, 0.55, 0.22), "blue": (0.13, 0.31, 0.72)}


def cube(name: str, colour: str, half_edge: float) -> Callable[[], mujoco.MjSpec]:
    """Makes a cube whose body and geom have a name; the half edge is in metres."""
    return partial(_cube, name, COLOURS[colour], half_edge)


def _cube(name: str, colour: Colour, half_edge: float) -> mujoco.MjSpec:
    builder = PropBuilder(name, density=500.0)
    builder.box((0, 0, 0), (half_edge,) * 3, colour, name=name)
    return builder.spec
