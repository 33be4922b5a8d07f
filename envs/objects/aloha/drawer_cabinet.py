"""A low cabinet with one drawer that a spring shuts, and a carton. The drawer opens along the cabinet's -y axis."""

import mujoco

from ambidex.envs.objects.building.mesh import Colour
from ambidex.envs.objects.building.prop_builder import SLIDE, PropBuilder
from ambidex.envs.objects.building.shapes import box
from ambidex.envs.types import FloatArray

HALF_WIDTH, HALF_DEPTH, HEIGHT = 0.1, 0.08, 0.1  # of the cabinet without front and handle [m]
BOARD = 0.008  # thickness of the cabinet's boards [m]
FRONT = 0.01  # thickness of the drawer's front [m]
MAX_OPENING = 0.1  # [m]
STIFFNESS, DAMPING, ARMATURE = 12.0, 8.0, 1.0  # of the drawer [N/m, N s/m, kg]: by itself it shuts in about 2 s
HANDLE = (-0.055, -0.13, 0.075)  # middle of the bar in the cabinet's frame, drawer shut [m]
BAR = (0.042, 0.006, 0.006)  # half lengths of the bar [m]
POST = 0.004  # half width of the two posts that carry the bar [m]
INSIDE_LOW, INSIDE_HIGH = (-0.076, -0.08, 0.018), (0.076, 0.058, 0.06)  # corners of the drawer's inside [m]
WALL = 0.006  # thickness of floor, sides and back of the drawer [m]
CARTON = (0.015, 0.015, 0.03)  # half sizes of the carton [m]

WOOD: Colour = (0.80, 0.65, 0.46)
TEAL: Colour = (0.13, 0.43, 0.47)
CREAM: Colour = (0.90, 0.86, 0.77)
METAL: Colour = (0.24, 0.24, 0.26)
ORANGE: Colour = (0.93, 0.48, 0.08)
WHITE: Colour = (0.94, 0.93, 0.90)
GREEN: Colour = (0.25, 0.52, 0.20)


def cabinet() -> mujoco.MjSpec:
    """A body "cabinet" to be fixed, its frame on the table below its middle, with a part "drawer"."""
    builder = PropBuilder("cabinet", free=False)
    _add_carcass(builder)
    builder.part(
        "drawer",
        (0, 0, 0),
        joint=SLIDE,
        axis=(0, -1, 0),
        span=(0.0, MAX_OPENING),
        damping=DAMPING,
        stiffness=STIFFNESS,
        armature=ARMATURE,
    )
    _add_tray(builder)
    _add_handle(builder)
    return builder.spec


def carton() -> mujoco.MjSpec:
    """A carton that stands on its square end; its frame is in its middle."""
    builder = PropBuilder("carton", density=600.0)
    builder.box((0, 0, 0), CARTON, ORANGE, name="carton")
    builder.hide_shapes()
    (x, y, z), band, cap = CARTON, 0.008, 0.012
    builder.look(box((-x, -y, -z), (x, y, -band)), ORANGE)
    builder.look(box((-x, -y, -band), (x, y, band)), WHITE)
    builder.look(box((-x, -y, band), (x, y, z - cap)), ORANGE)
    builder.look(box((-x, -y, z - cap), (x, y, z)), GREEN)
    return builder.spec


def inside_drawer(position: FloatArray, margin: float) -> bool:
    """Whether a position in the drawer's frame (3,) [m] is inside the drawer, `margin` [m] or more from its walls."""
    walls = zip(position[:2], INSIDE_LOW, INSIDE_HIGH, strict=False)
    level = all(low + margin <= value <= high - margin for value, low, high in walls)
    return level and INSIDE_LOW[2] <= position[2] <= INSIDE_HIGH[2]


def _add_carcass(builder: PropBuilder) -> None:
    half = BOARD / 2
    for side in (-1, 1):
        builder.box((side * (HALF_WIDTH - half), 0, HEIGHT / 2), (half, HALF_DEPTH, HEIGHT / 2), WOOD)
    within = HALF_WIDTH - BOARD
    builder.box((0, HALF_DEPTH - half, HEIGHT / 2), (within, half, HEIGHT / 2), WOOD)
    for height in (half, HEIGHT - half):
        builder.box((0, -half, height), (within, HALF_DEPTH - half, half), WOOD)


def _add_tray(builder: PropBuilder) -> None:
    (left, front, floor), (right, back, top) = INSIDE_LOW, INSIDE_HIGH
    middle, half_depth, half = (front + back) / 2, (back - front) / 2, WALL / 2
    bottom, half_height = floor - WALL, (top - floor + WALL) / 2
    builder.box((0, middle, floor - half), (right, half_depth, half), CREAM, body="drawer")
    for x in (left - half, right + half):
        builder.box((x, middle, bottom + half_height), (half, half_depth, half_height), CREAM, body="drawer")
    builder.box((0, back + half, bottom + half_height), (right + WALL, half, half_height), CREAM, body="drawer")
    face = (HALF_WIDTH - 0.002, FRONT / 2, HEIGHT / 2 - 0.006)
    builder.box((0, front - FRONT / 2, HEIGHT / 2), face, TEAL, body="drawer")


def _add_handle(builder: PropBuilder) -> None:
    x, y, z = HANDLE
    builder.box(HANDLE, BAR, METAL, name="handle", body="drawer")
    front = INSIDE_LOW[1] - FRONT
    half_length = (front - y - BAR[1]) / 2
    for end in (x - BAR[0] + POST, x + BAR[0] - POST):
        builder.box((end, front - half_length, z), (POST, half_length, POST), METAL, body="drawer")
