"""A mug, and a stand with a peg to hang it on."""

import math
from itertools import pairwise

import mujoco
import numpy as np

from ambidex.envs.objects.building.prop_builder import PropBuilder
from ambidex.envs.objects.building.shapes import revolve, tube
from ambidex.envs.objects.building.surfaces import board, wood

RADIUS, WALL, MUG_HEIGHT = 0.028, 0.004, 0.07  # outer radius, thickness, height [m]
HANDLE = ((0.026, 0.06), (0.046, 0.062), (0.059, 0.05), (0.061, 0.035), (0.059, 0.021), (0.046, 0.01), (0.026, 0.012))
"""Middle line of the handle in the plane y = 0 of the mug, (x, z) [m]."""
HANDLE_RADIUS = 0.004  # [m]
HOLE, HOLE_HALF = (0.043, 0.036), (0.012, 0.02)  # centre of the handle's opening, half its width and height (x, z) [m]
BASE_HALF, BASE_HEIGHT, POST_HALF, POST_HEIGHT = 0.055, 0.012, 0.01, 0.19  # of the stand [m]
PEG_HEIGHT, PEG_LENGTH, PEG_RADIUS = 0.12, 0.07, 0.005  # [m]
PEG_TILT = math.radians(20.0)  # upwards
YELLOW = (0.93, 0.72, 0.16)


def mug() -> mujoco.MjSpec:
    """A mug, its handle along +x, its origin in the middle of its base."""
    builder = PropBuilder("mug", density=500.0, damping=2e-4)
    builder.cylinder((0, 0, WALL / 2), RADIUS - WALL / 2, WALL / 2, YELLOW)
    builder.ring(RADIUS - WALL, WALL, MUG_HEIGHT, WALL, YELLOW, count=16)
    points = [(x, 0.0, z) for x, z in HANDLE]
    for start, end in pairwise(points):
        builder.capsule(start, end, HANDLE_RADIUS, YELLOW)
    builder.hide_shapes()
    outline = [(0.0, 0.0), (RADIUS - 0.003, 0.0), (RADIUS, 0.003), (RADIUS, MUG_HEIGHT), (RADIUS - WALL, MUG_HEIGHT)]
    builder.look(revolve([*outline, (RADIUS - WALL, WALL), (0.0, WALL)], slices=28), YELLOW, gloss=0.7)
    builder.look(tube(HANDLE, 2 * HANDLE_RADIUS, 2 * HANDLE_RADIUS, sides=8), YELLOW, gloss=0.7)
    return builder.spec


def mug_tree() -> mujoco.MjSpec:
    """A post on a base, with one peg along +x that rises outwards."""
    builder = PropBuilder("mug_tree", density=700.0)
    builder.box((0, 0, BASE_HEIGHT / 2), (BASE_HALF, BASE_HALF, BASE_HEIGHT / 2), (0.5, 0.35, 0.22))
    half = (POST_HEIGHT - BASE_HEIGHT) / 2
    builder.box((0, 0, BASE_HEIGHT + half), (POST_HALF, POST_HALF, half), (0.5, 0.35, 0.22), name="post")
    builder.hide_shapes()
    texture = wood((0.42, 0.27, 0.14), (0.68, 0.47, 0.28), 71)
    for low, high, axis in (
        ((-BASE_HALF, -BASE_HALF, 0.0), (BASE_HALF, BASE_HALF, BASE_HEIGHT), 0),
        ((-POST_HALF, -POST_HALF, BASE_HEIGHT), (POST_HALF, POST_HALF, POST_HEIGHT), 2),
    ):
        builder.look(board(low, high, axis), (1.0, 1.0, 1.0), texture=texture)
    start, end = peg_ends()
    builder.capsule(start, end, PEG_RADIUS, (0.62, 0.44, 0.27), name="peg")
    return builder.spec


def peg_ends() -> tuple[np.ndarray, np.ndarray]:
    """Both ends of the peg's axis in the frame of the stand, the free one last, each (3,) [m]."""
    start = np.array([POST_HALF, 0.0, PEG_HEIGHT])
    return start, start + PEG_LENGTH * np.array([math.cos(PEG_TILT), 0.0, math.sin(PEG_TILT)])
