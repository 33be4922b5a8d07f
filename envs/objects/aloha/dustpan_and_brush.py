"""A dustpan, a hand brush, and flat beads to sweep up."""

import math
from collections.abc import Callable
from functools import partial

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.envs.objects.building.mesh import Colour
from ambidex.envs.objects.building.prop_builder import PropBuilder
from ambidex.envs.simulation.pose import quaternion_about
from ambidex.envs.types import FloatArray

PAN_DEPTH, PAN_WIDTH, PAN_HEIGHT = 0.12, 0.15, 0.032  # along x and y between the walls; of the walls [m]
PAN_WALL, PAN_FLOOR = 0.004, 0.005  # thickness of the walls, and height of the floor [m]
RAMP_LENGTH, RAMP, LIP = 0.03, 0.0012, 0.0015  # of the ramp along x, its thickness, and height of its edge [m]
MOUTH, BACK = PAN_DEPTH / 2, -PAN_DEPTH / 2  # where the pan begins and ends along x [m]
PAN_HANDLE = (-0.15, 0.033)  # where the handle ends, and height of its middle (x, z) [m]
BRUSH_HALF = (0.016, 0.055)  # half lengths of the brush's head along x and y [m]
BRISTLES, BRUSH_HEIGHT = 0.024, 0.05  # heights of the bristles and of the whole head [m]
BRUSH_HANDLE = (0.125, 0.04)  # where the handle ends, and height of its middle (x, z) [m]
HANDLE_HALF = (0.009, 0.011)  # half thickness of both handles along y and z [m]
BEAD_RADIUS, BEAD_HALF_HEIGHT = 0.008, 0.0035  # [m]
SMOOTH = 0.3  # friction between beads, pan and brush
GLASS = 2500.0  # density of the beads [kg/m^3]
HARD, OVER_TABLE = (0.006, 1.0), 2  # contacts of beads, whose parameters come before those of the table
BEAD_MARGIN = 0.0006  # of their contacts, as of those of the table [m]
ROLLING_DAMPING = 5e-6  # beads come to rest by it [N s/m and N m s]

Mask = npt.NDArray[np.bool_]
TEAL, RUBBER, WOOD, STRAW = (0.13, 0.47, 0.50), (0.16, 0.17, 0.18), (0.72, 0.50, 0.30), (0.90, 0.83, 0.66)
BEAD_COLOURS: tuple[Colour, ...] = ((0.95, 0.75, 0.18), (0.88, 0.36, 0.22), (0.93, 0.91, 0.86))


def dustpan() -> mujoco.MjSpec:
    """A body "dustpan" whose origin is on the table below the middle of its floor, its mouth towards +x."""
    builder = PropBuilder("dustpan", density=300.0, friction=SMOOTH)
    half_width, flat = PAN_WIDTH / 2, (MOUTH - RAMP_LENGTH - BACK) / 2
    builder.box((BACK + flat, 0, PAN_FLOOR / 2), (flat, half_width, PAN_FLOOR / 2), TEAL)
    _ramp(builder)
    middle_z, half_z = (PAN_FLOOR / 2 + PAN_HEIGHT) / 2, (PAN_HEIGHT - PAN_FLOOR / 2) / 2
    for sign in (-1.0, 1.0):
        side = (0, sign * (half_width + PAN_WALL / 2), middle_z)
        builder.box(side, (PAN_DEPTH / 2, PAN_WALL / 2, half_z), TEAL)
    end = BACK - PAN_WALL
    builder.box((BACK - PAN_WALL / 2, 0, middle_z), (PAN_WALL / 2, half_width + PAN_WALL, half_z), TEAL)
    _handle(builder, PAN_HANDLE[0], end, PAN_HANDLE[1], TEAL)
    return builder.spec


def brush() -> mujoco.MjSpec:
    """A body "brush" whose origin is on the table below the middle of its head, its handle towards +x."""
    builder = PropBuilder("brush", density=300.0, friction=SMOOTH)
    half_x, half_y = BRUSH_HALF
    wood = (BRUSH_HEIGHT - BRISTLES) / 2
    builder.box((0, 0, BRISTLES / 2), (half_x, half_y, BRISTLES / 2), STRAW)
    builder.box((0, 0, BRISTLES + wood), (half_x, half_y, wood), WOOD)
    _handle(builder, half_x, BRUSH_HANDLE[0], BRUSH_HANDLE[1], WOOD)
    return builder.spec


def bead(number: int) -> Callable[[], mujoco.MjSpec]:
    """Makes a flat round bead "bead_<number>", its origin in its middle."""
    return partial(_bead, f"bead_{number}", BEAD_COLOURS[number % len(BEAD_COLOURS)])


def inside_pan(positions: FloatArray) -> Mask:
    """Which points (N, 3) in the frame of the pan are between its walls, shape (N,)."""
    low, high = np.array([BACK, -PAN_WIDTH / 2, 0.0]), np.array([MOUTH, PAN_WIDTH / 2, PAN_HEIGHT])
    return np.asarray(((positions > low) & (positions < high)).all(axis=1))


def _ramp(builder: PropBuilder) -> None:
    """A thin plate that rises from the mouth to the floor."""
    slope = math.atan2(PAN_FLOOR - LIP, RAMP_LENGTH)
    middle = np.array([MOUTH - RAMP_LENGTH / 2, 0.0, (PAN_FLOOR + LIP) / 2])
    down = np.array([math.sin(slope), 0.0, math.cos(slope)]) * RAMP / 2
    ramp_half = (RAMP_LENGTH / 2 / math.cos(slope), PAN_WIDTH / 2, RAMP / 2)
    builder.box(middle - down, ramp_half, RUBBER, quaternion=quaternion_about((0, 1, 0), slope))


def _handle(builder: PropBuilder, start: float, end: float, height: float, colour: Colour) -> None:
    half_y, half_z = HANDLE_HALF
    builder.box(((start + end) / 2, 0, height), ((end - start) / 2, half_y, half_z), colour)


def _bead(name: str, colour: Colour) -> mujoco.MjSpec:
    builder = PropBuilder(name, density=GLASS, friction=SMOOTH, damping=ROLLING_DAMPING)
    builder.ellipsoid((0, 0, 0), (BEAD_RADIUS, BEAD_RADIUS, BEAD_HALF_HEIGHT), colour)
    # The softer contacts of other objects would let beads that meet overlap, and without a margin MuJoCo now and then
    # finds beads that barely touch millimetres inside each other.
    for geom in builder.spec.geoms:
        geom.priority, geom.condim, geom.solref, geom.margin = OVER_TABLE, 3, HARD, BEAD_MARGIN
    return builder.spec
