"""Mugs: hollow, with a handle along +x."""

import mujoco

from ambidex.envs.objects.builder import Colour, ObjectBuilder
from ambidex.envs.objects.canvas import Canvas
from ambidex.envs.objects.rings import collide_ring
from ambidex.envs.objects.shapes import revolve, tube

WALL = 0.005  # thickness [m]
GRIP, BAR = 0.005, 0.009  # half the width of the handle along y, its thickness in the plane y = 0 [m]
UPPER, LOWER = 0.82, 0.24  # heights at which the handle meets the wall, as parts of the mug's


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
    given = builder.figures
    radius, height = float(given.size[1]) / 2, float(given.size[2])
    x, y, low = given.low[0] + radius, float(given.centre[1]), given.low[2]
    profile = [(0.0, 0.002), (0.75 * radius, 0.0), (0.93 * radius, 0.003), (radius, 0.014), (radius, height)]
    profile += [(radius - WALL, height), (radius - WALL, 0.014), (0.85 * radius, 0.006), (0.0, 0.005)]
    builder.show(revolve(profile).moved((x, y, low)), texture=paint.image, gloss=0.7)
    _handle(builder, (x + radius, y), handle)
    side = 0.66 * radius
    builder.collide_between((x - side, y - side, low), (x + side, y + side, low + WALL))
    collide_ring(builder, (x, y), (0.97 * radius, low + 0.001), (radius, low + height), WALL)
    return builder.finish()


def _handle(builder: ObjectBuilder, edge: tuple[float, float], colour: Colour) -> None:
    """An ear, from the wall at `edge` (x, y) [m] outwards."""
    given = builder.figures
    x, y, end = edge[0] - WALL, edge[1], given.high[0]
    upper, lower = (given.low[2] + part * float(given.size[2]) for part in (UPPER, LOWER))
    middle = end - BAR / 2
    bend = 0.35 * (middle - x)
    path = [(x, upper), (middle - bend, upper), (middle, upper - 0.016), (middle, lower + 0.022)]
    path += [(middle - bend, lower + 0.004), (x, lower)]
    builder.show(tube(path, 2 * GRIP + 0.002, BAR).moved((0.0, y, 0.0)), colour, gloss=0.7)
    for height in (upper, lower):
        builder.collide_between((x, y - GRIP, height - BAR / 2), (middle, y + GRIP, height + BAR / 2))
    builder.collide_between((end - BAR, y - GRIP, lower), (end, y + GRIP, upper))
