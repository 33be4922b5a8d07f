"""Mugs: hollow, with a handle along +x."""

import mujoco

from ambidex.envs.objects.builder import Colour, ObjectBuilder
from ambidex.envs.objects.canvas import Canvas
from ambidex.envs.objects.figures import figures
from ambidex.envs.objects.rings import Ring, collide_ring
from ambidex.envs.objects.shapes import revolve, tube

WALL = 0.005  # thickness [m]
FOOT = 0.86  # radius at the bottom, as a part of that at the rim: it has to fit on the plate
GRIP, BAR = 0.005, 0.009  # half the width of the handle along y, its thickness in the plane y = 0 [m]
UPPER, LOWER = 0.82, 0.24  # heights at which the handle meets the wall, as parts of the mug's


def mug_wall(category: str) -> Ring:
    """The wall of a mug."""
    given = figures(category)
    radius = float(given.size[1]) / 2
    lower = (FOOT * radius, given.low[2] + 0.001)
    return Ring(centre=given.foot, lower=lower, upper=(radius, given.high[2]), thickness=WALL)


def handle_heights(category: str) -> tuple[float, float]:
    """Z of the middle of the handle's lower and upper bar [m]."""
    given = figures(category)
    low, height = given.low[2], float(given.size[2])
    return low + LOWER * height, low + UPPER * height


def porcelain_mug() -> mujoco.MjSpec:
    """All white."""
    white = (0.95, 0.94, 0.92)
    return _mug("porcelain_mug", Canvas(4, 64, white), white)


def white_yellow_mug() -> mujoco.MjSpec:
    """White above, yellow below; the handle is yellow, too."""
    yellow = (0.98, 0.77, 0.1)
    return _mug("white_yellow_mug", Canvas(4, 64, (0.95, 0.94, 0.91)).block(0, 0.65, 1, 1, yellow), yellow)


def red_coffee_mug() -> mujoco.MjSpec:
    """Red, white inside."""
    red = (0.75, 0.07, 0.06)
    return _mug("red_coffee_mug", Canvas(4, 64, red).block(0, 0, 1, 0.48, (0.93, 0.9, 0.86)), red)


def _mug(category: str, paint: Canvas, handle: Colour) -> mujoco.MjSpec:
    builder = ObjectBuilder(category)
    wall = mug_wall(category)
    (x, y), low = wall.centre, builder.figures.low[2]
    radius, height, foot = wall.upper[0], float(builder.figures.size[2]), wall.lower[0]
    profile = [(0.0, 0.002), (0.8 * foot, 0.0), (foot, 0.004), (foot + 0.001, 0.014), (radius, height)]
    profile += [(radius - WALL, height), (foot - WALL, 0.014), (0.9 * foot - WALL, 0.006), (0.0, 0.005)]
    builder.show(revolve(profile).moved((x, y, low)), texture=paint.image, gloss=0.7)
    _handle(builder, (x + radius, y), handle)
    side = 0.74 * foot
    builder.collide_between((x - side, y - side, low), (x + side, y + side, low + WALL))
    collide_ring(builder, wall)
    return builder.finish()


def _handle(builder: ObjectBuilder, edge: tuple[float, float], colour: Colour) -> None:
    """An ear, from the wall at `edge` (x, y) [m] outwards."""
    x, y, end = edge[0] - WALL, edge[1], builder.figures.high[0]
    lower, upper = handle_heights(builder.figures.category)
    middle = end - BAR / 2
    bend = 0.35 * (middle - x)
    path = [(x, upper), (middle - bend, upper), (middle, upper - 0.016), (middle, lower + 0.022)]
    path += [(middle - bend, lower + 0.004), (x, lower)]
    builder.show(tube(path, 2 * GRIP + 0.002, BAR).moved((0.0, y, 0.0)), colour, gloss=0.7)
    for height in (upper, lower):
        builder.collide_between((x, y - GRIP, height - BAR / 2), (middle, y + GRIP, height + BAR / 2))
    builder.collide_between((end - BAR, y - GRIP, lower), (end, y + GRIP, upper))
