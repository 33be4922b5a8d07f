"""Octagonal plates, stands that they lie on, and a rack with slots in which they stand upright."""

import math
from collections.abc import Callable
from functools import partial

import mujoco
import numpy as np

from ambidex.envs.objects.building.mesh import Colour
from ambidex.envs.objects.building.prop_builder import PropBuilder
from ambidex.envs.objects.building.shapes import box, revolve
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.types import FloatArray

APOTHEM, HALF_THICKNESS = 0.07, 0.004  # of a plate: from its middle to the middle of a side, and along z [m]
EIGHTH = math.pi / 4  # angle after which a plate looks the same [rad]
SIDES = 8
RIM = 0.045  # distance from a plate's middle at which its flat rim begins [m]
HOLLOW = 0.003  # how far a plate is seen to be hollow [m]
STAND_HEIGHT = 0.11  # so that a level gripper fits below a plate [m]
PEG = 0.005  # radius of the four pegs of a stand [m]
PEG_DISTANCE = 0.05  # from the stand's middle towards four sides of the plate, beside those that arms hold [m]
SLOTS, PITCH = 4, 0.024  # number of the rack's slots, and distance between their middles [m]
ROD = 0.004  # radius of the rods between the slots [m]
ROD_X, ROD_TOP = 0.045, 0.06  # where the rods stand, and their height; fingers pass above them [m]
FLOOR, BAR_X = 0.012, 0.018  # height of the bars that a plate's lowest side stands on, and where they are [m]
FRAME = 0.012  # width of the bars of the rack's frame [m]
MAX_TILT = math.radians(12.0)  # of a plate that stands in a slot, from the upright
MAX_SHIFT = 0.03  # of a plate's middle along its slot [m]

WOOD: Colour = (0.76, 0.58, 0.38)
DARK: Colour = (0.25, 0.25, 0.27)
CHINA: Colour = (0.93, 0.93, 0.91)
COLOURS: dict[str, Colour] = {"left": (0.20, 0.40, 0.66), "right": (0.80, 0.33, 0.26)}


def plate(side: str) -> Callable[[], mujoco.MjSpec]:
    """Makes a plate "<side>_plate"; its frame is in its middle, z upwards, x towards the middle of a side."""
    return partial(_plate, f"{side}_plate", COLOURS[side])


def stand(side: str) -> Callable[[], mujoco.MjSpec]:
    """Makes a body "<side>_stand", to be fixed; a plate lies on its pegs."""
    return partial(_stand, f"{side}_stand")


def rack() -> mujoco.MjSpec:
    """A body "rack", to be fixed. Plates stand along its x axis; its slots follow each other along y."""
    builder = PropBuilder("rack", free=False)
    half_length = SLOTS * PITCH / 2
    for x in (-BAR_X, BAR_X):
        builder.capsule((x, -half_length, FLOOR / 2), (x, half_length, FLOOR / 2), FLOOR / 2, WOOD)
    for x in (-ROD_X, ROD_X):
        for y in (np.arange(SLOTS + 1) - SLOTS / 2) * PITCH:
            builder.capsule((x, y, FLOOR / 2), (x, y, ROD_TOP - ROD), ROD, WOOD)
    # The frame is only seen: plates do not reach it, and every shape that collides costs time.
    end, side = half_length + FRAME, ROD_X + FRAME / 2
    for x in (-ROD_X, ROD_X):
        builder.look(box((x - FRAME / 2, -end, 0.0), (x + FRAME / 2, end, FLOOR)), WOOD)
    for y in (-half_length - FRAME / 2, half_length + FRAME / 2):
        builder.look(box((-side, y - FRAME / 2, 0.0), (side, y + FRAME / 2, FLOOR)), WOOD)
    return builder.spec


def slot_middle(slot: int) -> FloatArray:
    """Where the middle of a plate is that stands in a slot, in the rack's frame (3,) [m]; slots count along y."""
    return np.array([0.0, (slot - (SLOTS - 1) / 2) * PITCH, FLOOR + APOTHEM])


def slot_of(plate: Pose) -> int | None:
    """The slot in which a plate stands, given its pose in the rack's frame."""
    x, y, z = plate.position
    slot = round(y / PITCH + (SLOTS - 1) / 2)
    corner = APOTHEM / math.cos(EIGHTH / 2) - APOTHEM  # higher, when it stands on a corner
    along = abs(plate.axis(2)[1]) >= math.cos(MAX_TILT)
    low = -HALF_THICKNESS <= z - FLOOR - APOTHEM <= corner + HALF_THICKNESS
    return slot if along and low and abs(x) <= MAX_SHIFT and 0 <= slot < SLOTS else None


def _plate(name: str, colour: Colour) -> mujoco.MjSpec:
    builder = PropBuilder(name, density=300.0)
    strip = (APOTHEM, APOTHEM * math.tan(EIGHTH / 2), HALF_THICKNESS)
    for turn in np.arange(SIDES // 2) * EIGHTH:
        builder.box((0, 0, 0), strip, colour, quaternion=quaternion_about((0, 0, 1), turn))
    builder.hide_shapes()
    corner, top = APOTHEM / math.cos(EIGHTH / 2), HALF_THICKNESS
    inner = RIM - 0.006
    under = [(0.0, -top), (corner - 0.003, -top), (corner, -top + 0.002), (corner, top)]
    to_side = quaternion_about((0, 0, 1), EIGHTH / 2)
    for profile, paint in (
        ([*under, (corner - 0.012, top)], colour),
        ([(corner - 0.012, top), (RIM, top), (inner, top - HOLLOW), (0.0, top - HOLLOW)], CHINA),
    ):
        builder.look(revolve(profile, SIDES).rotated(to_side), paint, gloss=0.7)
    return builder.spec


def _stand(name: str) -> mujoco.MjSpec:
    builder = PropBuilder(name, free=False)
    builder.look(box((-0.042, -0.042, 0.0), (0.042, 0.042, 0.008)), DARK)
    for turn in np.arange(4) * math.pi / 2 + EIGHTH:
        x, y = PEG_DISTANCE * math.cos(turn), PEG_DISTANCE * math.sin(turn)
        builder.capsule((x, y, 0.004), (x, y, STAND_HEIGHT - PEG), PEG, DARK)
    return builder.spec
