"""The plate: a flat middle and a rim that rises, so that fingers get below its edge."""

import mujoco
import numpy as np

from ambidex.envs.objects.builder import ObjectBuilder
from ambidex.envs.objects.canvas import Canvas
from ambidex.envs.objects.figures import figures
from ambidex.envs.objects.rings import LESS, Ring, Z, collide_ring
from ambidex.envs.objects.shapes import revolve
from ambidex.envs.pose import quaternion_about

FLAT, WALL = 0.05, 0.004  # outer radius of the flat middle, thickness of the rim [m]
FLOOR = 0.006  # thickness of the middle: a bowl on it has its origin above the plate's, or On could not hold [m]


def plate_rim() -> Ring:
    """The part of the plate that rises."""
    given = figures("plate")
    radius = float(given.size[:2].mean()) / 2
    return Ring(centre=given.foot, lower=(FLAT, given.low[2] + LESS), upper=(radius, given.high[2]), thickness=WALL)


def plate() -> mujoco.MjSpec:
    """A white plate with a band of red along its rim."""
    builder = ObjectBuilder("plate")
    given = builder.figures
    profile = [(0.0, 0.0), (FLAT - 0.003, 0.0), (0.067, 0.0155), (0.0688, 0.0183), (0.068, 0.019)]
    profile += [(0.064, 0.0165), (FLAT - 0.001, FLOOR + 0.0005), (0.0, FLOOR)]
    label = Canvas(8, 128, (0.94, 0.93, 0.9)).block(0, 0.4, 1, 0.47, (0.72, 0.13, 0.1)).image
    builder.show(revolve(profile, slices=24).within(given.low, given.high), texture=label, gloss=0.6)
    x, y = given.foot
    bottom, side = given.low[2], FLAT * 0.78
    for turn, half in ((0.0, FLOOR / 2), (np.pi / 4, FLOOR / 2 - LESS)):
        builder.collide_box((x, y, bottom + FLOOR / 2), (side, side, half), quaternion_about(Z, turn))
    collide_ring(builder, plate_rim())
    return builder.finish()
