"""The moka pot and the frying pan."""

import mujoco
import numpy as np

from ambidex.envs.objects.building.builder import ObjectBuilder
from ambidex.envs.objects.building.mesh import Mesh, merge
from ambidex.envs.objects.building.rings import Ring, Z, add_octagon, add_ring, add_round_bar
from ambidex.envs.objects.building.shapes import box, prism, revolve, tube
from ambidex.envs.objects.properties import object_properties
from ambidex.envs.simulation.pose import quaternion_about

# Moka pot: two eight-sided parts, a spout, and a handle along +y
METAL, BLACK = (0.66, 0.67, 0.7), (0.06, 0.06, 0.06)
BASE, WAIST, LID = 0.024, 0.062, 0.128  # heights above its bottom [m]
POT_GRIP = 0.0075  # half the width of the handle [m]
KNOB = 0.008  # half the width of the knob on the lid [m]
EIGHTH = quaternion_about((0.0, 0.0, 1.0), np.pi / 8)

# Frying pan, its handle along +x
RIM, FOOT, WALL = 0.046, 0.078, 0.004  # height of the rim, outer radius of the flat bottom, thickness [m]
PAN_GRIP, DEEP = 0.010, 0.012  # half the width of the handle, and its height [m]


def moka_pot() -> mujoco.MjSpec:
    """A moka pot of brushed metal with a black handle and knob."""
    builder = ObjectBuilder("moka_pot")
    given = builder.properties
    radius, low, top = float(given.size[0]) / 2, given.low[2], given.high[2]
    x = float(given.centre[0])
    base = (x, 0.0, low)
    below = [(0.0, 0.0), (1.0, 0.0), (1.0, 0.012), (0.74, WAIST - 0.004), (0.74, WAIST)]
    above = [(0.74, WAIST), (0.7, WAIST + 0.006), (0.95, LID), (0.9, LID + 0.004), (0.2, LID + 0.012)]
    pot = merge(_eight_sided(below, radius), _eight_sided(above, radius), _spout(radius, given.low[1]))
    builder.add_visual(pot.translated(base), METAL, gloss=0.9)
    knob = revolve([(0.006, LID + 0.01), (KNOB, LID + 0.016), (KNOB, top - low), (0.0, top - low)], 8)
    builder.add_visual(merge(knob, _pot_handle(radius, given.high[1])).translated(base), BLACK, gloss=0.5)
    _add_pot_collision(builder, x, radius)
    return builder.finish()


def _eight_sided(profile: list[tuple[float, float]], radius: float) -> Mesh:
    """Flat sides face x and y; radii of the profile are fractions of `radius`, the distance to a flat side."""
    corner = radius / np.cos(np.pi / 8)
    return revolve([(part * corner, height) for part, height in profile], 8).rotated(EIGHTH)


def _spout(radius: float, reach: float) -> Mesh:
    lip = box((-0.009, reach, LID - 0.014), (0.009, -0.8 * radius, LID - 0.004))
    throat = box((-0.006, reach + 0.006, LID - 0.026), (0.006, -0.75 * radius, LID - 0.014))
    return merge(lip, throat)


def _pot_handle(radius: float, reach: float) -> Mesh:
    """A bar from the lid outwards, then down."""
    path = [
        (0.8 * radius, LID - 0.008),
        (reach - 0.012, LID - 0.008),
        (reach - 0.007, LID - 0.016),
        (reach - 0.007, 0.05),
    ]
    bar = tube(path, 2 * POT_GRIP, 0.014, 8)
    return bar.rotated(quaternion_about((0.0, 0.0, 1.0), np.pi / 2))


def _add_pot_collision(builder: ObjectBuilder, x: float, radius: float) -> None:
    given = builder.properties
    low, reach = given.low[2], given.high[1]
    add_round_bar(builder, (x, 0.0, low + BASE / 2), (radius, radius), BASE / 2, flat=1.0)
    middle, half_height = low + (BASE + LID) / 2, (LID - BASE) / 2
    for turn in (0.0, np.pi / 4):
        half_size = (0.7 * radius, 0.7 * radius, half_height)
        builder.add_box((x, 0.0, middle), half_size, quaternion_about(Z, turn))
    add_round_bar(
        builder, (x, 0.0, (low + LID + given.high[2]) / 2), (KNOB, KNOB), (given.high[2] - low - LID) / 2, flat=1.0
    )
    builder.add_box_between((x - POT_GRIP, radius * 0.7, low + LID - 0.015), (x + POT_GRIP, reach, low + LID - 0.001))
    builder.add_box_between((x - POT_GRIP, reach - 0.014, low + 0.05), (x + POT_GRIP, reach, low + LID - 0.015))
    builder.add_box_between((x - 0.009, given.low[1], low + LID - 0.014), (x + 0.009, -0.7 * radius, low + LID - 0.004))


def pan_ring() -> Ring:
    """The wall of the pan."""
    given = object_properties("chefmate_8_frypan")
    radius, low = float(given.size[1]) / 2, given.low[2]
    return Ring(centre=given.foot, lower=(FOOT, low + 0.001), upper=(radius, low + RIM), thickness=WALL)


def chefmate_8_frypan() -> mujoco.MjSpec:
    """A frying pan, black inside and grey outside, with a black handle."""
    builder = ObjectBuilder("chefmate_8_frypan")
    wall, low = pan_ring(), builder.properties.low[2]
    (x, y), radius = wall.centre, wall.upper[0]
    outside = [(0.0, 0.0), (FOOT, 0.0), (0.09, 0.012), (radius, RIM), (radius - 0.003, RIM)]
    inside = [(radius - 0.003, RIM), (0.087, 0.014), (FOOT - 0.003, WALL), (0.0, WALL)]
    builder.add_visual(revolve(outside, 24).translated((x, y, low)), (0.3, 0.3, 0.32), gloss=0.7)
    builder.add_visual(revolve(inside, 24).translated((x, y, low)), (0.11, 0.11, 0.12), gloss=0.5)
    _pan_handle(builder, x + radius, y)
    add_octagon(builder, wall.centre, low, FOOT * 0.8, WALL)
    add_ring(builder, wall)
    return builder.finish()


def _pan_handle(builder: ObjectBuilder, edge: float, y: float) -> None:
    """A bar from the rim at x = `edge` [m] to the end; its upper side is the highest point of the pan."""
    end, top = builder.properties.high[0], builder.properties.high[2]
    outline = [(edge - 0.004, -0.008), (edge + 0.05, -PAN_GRIP), (end - 0.006, -PAN_GRIP - 0.002), (end, -0.006)]
    outline += [(px, -py) for px, py in reversed(outline)]
    bar = prism(outline, top - DEEP, top).translated((0.0, y, 0.0))
    root = box((edge - 0.006, y - 0.012, top - DEEP - 0.008), (edge + 0.03, y + 0.012, top - DEEP / 2))
    builder.add_visual(merge(bar, root), (0.07, 0.07, 0.07), gloss=0.4)
    builder.add_box_between((edge - 0.006, y - PAN_GRIP, top - DEEP - 0.006), (edge + 0.03, y + PAN_GRIP, top))
    builder.add_box_between((edge + 0.03, y - PAN_GRIP, top - DEEP), (end, y + PAN_GRIP, top))
