"""The frying pan, its handle along +x."""

import mujoco
import numpy as np

from ambidex.envs.objects.builder import ObjectBuilder
from ambidex.envs.objects.figures import figures
from ambidex.envs.objects.mesh import joined
from ambidex.envs.objects.rings import LESS, Ring, Z, collide_ring
from ambidex.envs.objects.shapes import box, prism, revolve
from ambidex.envs.pose import quaternion_about

RIM, FOOT, WALL = 0.046, 0.078, 0.004  # height of the rim, outer radius of the flat bottom, thickness [m]
GRIP = 0.010  # half the width of the handle [m]
DEEP = 0.012  # its height [m]


def pan_wall() -> Ring:
    """The wall of the pan."""
    given = figures("chefmate_8_frypan")
    radius, low = float(given.size[1]) / 2, given.low[2]
    return Ring(centre=given.foot, lower=(FOOT, low + 0.001), upper=(radius, low + RIM), thickness=WALL)


def chefmate_8_frypan() -> mujoco.MjSpec:
    """Black inside, grey outside, a black handle."""
    builder = ObjectBuilder("chefmate_8_frypan")
    wall, low = pan_wall(), builder.figures.low[2]
    (x, y), radius = wall.centre, wall.upper[0]
    outside = [(0.0, 0.0), (FOOT, 0.0), (0.09, 0.012), (radius, RIM), (radius - 0.003, RIM)]
    inside = [(radius - 0.003, RIM), (0.087, 0.014), (FOOT - 0.003, WALL), (0.0, WALL)]
    builder.show(revolve(outside, 24).moved((x, y, low)), (0.3, 0.3, 0.32), gloss=0.7)
    builder.show(revolve(inside, 24).moved((x, y, low)), (0.11, 0.11, 0.12), gloss=0.5)
    _handle(builder, x + radius, y)
    side = FOOT * 0.8
    for turn, half in ((0.0, WALL / 2), (np.pi / 4, WALL / 2 - LESS)):
        builder.collide_box((x, y, low + WALL / 2), (side, side, half), quaternion_about(Z, turn))
    collide_ring(builder, wall)
    return builder.finish()


def _handle(builder: ObjectBuilder, edge: float, y: float) -> None:
    """A bar from the rim at `edge` [m] to the end, its upper side the highest point of the pan."""
    end, top = builder.figures.high[0], builder.figures.high[2]
    outline = [(edge - 0.004, -0.008), (edge + 0.05, -GRIP), (end - 0.006, -GRIP - 0.002), (end, -0.006)]
    outline += [(px, -py) for px, py in reversed(outline)]
    bar = prism(outline, top - DEEP, top).moved((0.0, y, 0.0))
    root = box((edge - 0.006, y - 0.012, top - DEEP - 0.008), (edge + 0.03, y + 0.012, top - DEEP / 2))
    builder.show(joined(bar, root), (0.07, 0.07, 0.07), gloss=0.4)
    builder.collide_between((edge - 0.006, y - GRIP, top - DEEP - 0.006), (edge + 0.03, y + GRIP, top))
    builder.collide_between((edge + 0.03, y - GRIP, top - DEEP), (end, y + GRIP, top))
