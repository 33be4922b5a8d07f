"""The wooden bar and the bowl of hand_over_bar."""

import mujoco

from ambidex.envs.objects.building.mesh import Colour, merge
from ambidex.envs.objects.building.prop_builder import PropBuilder
from ambidex.envs.objects.building.shapes import Point, box, revolve

BAR_HALF_SIZE = (0.1, 0.011, 0.011)  # [m]
BAND = 0.02  # length of the painted ends of the bar [m]
WOOD: Colour = (0.80, 0.60, 0.36)
PAINT: Colour = (0.78, 0.20, 0.12)

BOWL_RADIUS, BOWL_HEIGHT = 0.07, 0.05  # outer [m]
WALL, FLOOR = 0.006, 0.006  # thickness [m]
FOOT = 0.045  # half the side of the square on which the bowl stands [m]
LIFTED = 0.002  # height of the wall's lower edge above the table: the foot alone touches it [m]
WALLS = 12  # boxes of the wall
GLAZE: Colour = (0.16, 0.40, 0.52)
INSIDE: Colour = (0.90, 0.87, 0.79)


def bar() -> mujoco.MjSpec:
    """A square bar along x with painted ends, its origin in the middle."""
    builder = PropBuilder("bar")
    builder.box((0, 0, 0), BAR_HALF_SIZE, WOOD)
    builder.hide_shapes()
    half, width, height = BAR_HALF_SIZE
    bare = half - BAND
    builder.look(box((-bare, -width, -height), (bare, width, height)), WOOD)
    ends = (box((low, -width, -height), (low + BAND, width, height)) for low in (-half, bare))
    builder.look(merge(*ends), PAINT)
    return builder.spec


def bowl() -> mujoco.MjSpec:
    """A steep round bowl, its origin in the middle of its lower side."""
    builder = PropBuilder("bowl", density=900.0)
    builder.box((0, 0, FLOOR / 2), (FOOT, FOOT, FLOOR / 2), GLAZE)
    builder.ring(BOWL_RADIUS - WALL, LIFTED, BOWL_HEIGHT, WALL, GLAZE, count=WALLS)
    builder.hide_shapes()
    outer, inner = BOWL_RADIUS, BOWL_RADIUS - WALL
    outside: list[Point] = [(0.0, 0.0), (0.052, 0.0), (outer - 0.006, 0.005), (outer - 0.002, 0.014)]
    outside += [(outer, BOWL_HEIGHT - 0.003), (outer - 0.001, BOWL_HEIGHT)]
    inside: list[Point] = [(outer - 0.001, BOWL_HEIGHT), (inner, BOWL_HEIGHT), (inner, 0.016), (inner - 0.006, 0.008)]
    inside += [(inner - 0.016, FLOOR), (0.0, FLOOR)]
    builder.look(revolve(outside, slices=36), GLAZE, gloss=0.7)
    builder.look(revolve(inside, slices=36), INSIDE, gloss=0.7)
    return builder.spec
