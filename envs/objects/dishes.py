"""Bowls, the ramekin, the plate and mugs. All are hollow: a floor and a ring of walls."""

from collections.abc import Mapping

import mujoco

from ambidex.envs.objects.building.builder import ObjectBuilder
from ambidex.envs.objects.building.canvas import Canvas
from ambidex.envs.objects.building.mesh import Colour
from ambidex.envs.objects.building.rings import INSET, Ring, add_octagon, add_ring
from ambidex.envs.objects.building.shapes import Point, revolve, tube
from ambidex.envs.objects.properties import object_properties

# Bowls: outer radius at the bottom, thickness of walls and floor [m]
WALLS: Mapping[str, tuple[float, float]] = {
    "akita_black_bowl": (0.0385, 0.0045),
    "white_bowl": (0.0305, 0.004),
    "glazed_rim_porcelain_ramekin": (0.041, 0.009),  # thicker than it looks: a bowl dropped on it must not wedge in it
}

# Plate: a flat middle, and a rim that rises so that fingers get below its edge
FLAT, RIM_WALL = 0.05, 0.004  # outer radius of the flat middle, thickness of the rim [m]
FLOOR = 0.006  # thickness of the middle: a bowl's origin must be above the plate's for On to hold [m]

# Mugs, their handle along +x
MUG_WALL = 0.005  # thickness [m]
FOOT = 0.86  # radius at the bottom relative to that at the rim; it must fit on the plate
GRIP, HANDLE_THICKNESS = 0.005, 0.009  # half the width of the handle along y, its thickness in the plane y = 0 [m]
UPPER, LOWER = 0.82, 0.24  # heights at which the handle meets the wall, relative to the mug's


def bowl_ring(category: str) -> Ring:
    """The wall of a bowl, down to the floor."""
    given = object_properties(category)
    foot, thickness = WALLS[category]
    radius = float(given.size[:2].mean()) / 2
    return Ring(
        centre=given.foot, lower=(foot, given.low[2] + 0.001), upper=(radius, given.high[2]), thickness=thickness
    )


def akita_black_bowl() -> mujoco.MjSpec:
    """A black glazed bowl with a foot."""
    outside = [(0.0, 0.004), (0.029, 0.004), (0.031, 0.0), (0.034, 0.0), (0.037, 0.005)]
    outside += [(0.0475, 0.02), (0.0535, 0.0505)]
    inside = [(0.0535, 0.0505), (0.0505, 0.0502), (0.0445, 0.021), (0.034, 0.0085), (0.0, 0.0065)]
    return _bowl("akita_black_bowl", outside, inside, ((0.05, 0.05, 0.055), (0.16, 0.14, 0.13)), count=12)


def white_bowl() -> mujoco.MjSpec:
    """A small white bowl."""
    outside = [(0.0, 0.003), (0.022, 0.003), (0.024, 0.0), (0.028, 0.001), (0.0355, 0.012), (0.0405, 0.0345)]
    inside = [(0.0405, 0.0345), (0.038, 0.0343), (0.033, 0.016), (0.024, 0.006), (0.0, 0.005)]
    white = (0.93, 0.93, 0.91)
    return _bowl("white_bowl", outside, inside, (white, white), count=12)


def glazed_rim_porcelain_ramekin() -> mujoco.MjSpec:
    """A straight white dish with a rim glazed in brown."""
    category, height = "glazed_rim_porcelain_ramekin", 0.042
    outside: list[Point] = [(0.0, 0.0), (0.0395, 0.0), (0.041, 0.003), (0.0435, height - 0.006)]
    inside: list[Point] = [(0.0405, height - 0.006), (0.0375, 0.006), (0.0, 0.005)]
    rim: list[Point] = [(0.0435, height - 0.006), (0.0446, height - 0.003), (0.0435, height), (0.0405, height - 0.006)]
    builder = ObjectBuilder(category)
    low = (*builder.properties.centre[:2], builder.properties.low[2])
    for profile in (outside, inside):
        builder.add_visual(revolve(profile).translated(low), (0.92, 0.89, 0.82), gloss=0.6)
    builder.add_visual(revolve(rim).translated(low), (0.45, 0.24, 0.12), gloss=0.6)
    return _hollow(builder, count=8)


def _bowl(
    category: str, outside: list[Point], inside: list[Point], colours: tuple[Colour, Colour], *, count: int
) -> mujoco.MjSpec:
    """A bowl from profiles that start at z = 0 and are scaled to the category's size."""
    builder = ObjectBuilder(category)
    given = builder.properties
    factors = given.size / (2 * outside[-1][0], 2 * outside[-1][0], outside[-1][1])
    for profile, colour in zip((outside, inside), colours, strict=True):
        mesh = revolve(profile).scaled(factors).translated((*given.centre[:2], given.low[2]))
        builder.add_visual(mesh, colour, gloss=0.7)
    return _hollow(builder, count=count)


def _hollow(builder: ObjectBuilder, *, count: int) -> mujoco.MjSpec:
    wall, bottom = bowl_ring(builder.properties.category), builder.properties.low[2]
    (x, y), side = wall.centre, 0.76 * wall.lower[0]
    builder.add_box_between((x - side, y - side, bottom), (x + side, y + side, bottom + wall.thickness))
    add_ring(builder, wall, count)
    return builder.finish()


def plate_ring() -> Ring:
    """The rising rim of the plate."""
    given = object_properties("plate")
    radius = float(given.size[:2].mean()) / 2
    return Ring(
        centre=given.foot, lower=(FLAT, given.low[2] + INSET), upper=(radius, given.high[2]), thickness=RIM_WALL
    )


def plate() -> mujoco.MjSpec:
    """A white plate with a red band along its rim."""
    builder = ObjectBuilder("plate")
    given = builder.properties
    profile = [(0.0, 0.0), (FLAT - 0.003, 0.0), (0.067, 0.0155), (0.0688, 0.0183), (0.068, 0.019)]
    profile += [(0.064, 0.0165), (FLAT - 0.001, FLOOR + 0.0005), (0.0, FLOOR)]
    label = Canvas(8, 128, (0.94, 0.93, 0.9)).rectangle(0, 0.4, 1, 0.47, (0.72, 0.13, 0.1)).image
    builder.add_visual(revolve(profile, slices=24).fitted_to(given.low, given.high), texture=label, gloss=0.6)
    add_octagon(builder, given.foot, given.low[2], FLAT * 0.78, FLOOR)
    add_ring(builder, plate_ring())
    return builder.finish()


def mug_ring(category: str) -> Ring:
    """The wall of a mug."""
    given = object_properties(category)
    radius = float(given.size[1]) / 2
    lower = (FOOT * radius, given.low[2] + 0.001)
    return Ring(centre=given.foot, lower=lower, upper=(radius, given.high[2]), thickness=MUG_WALL)


def handle_heights(category: str) -> tuple[float, float]:
    """Z of the centre of the handle's lower and upper bar [m]."""
    given = object_properties(category)
    low, height = given.low[2], float(given.size[2])
    return low + LOWER * height, low + UPPER * height


def porcelain_mug() -> mujoco.MjSpec:
    """A white mug."""
    white = (0.95, 0.94, 0.92)
    return _mug("porcelain_mug", Canvas(4, 64, white), white)


def white_yellow_mug() -> mujoco.MjSpec:
    """A mug, white above and yellow below, with a yellow handle."""
    yellow = (0.98, 0.77, 0.1)
    return _mug("white_yellow_mug", Canvas(4, 64, (0.95, 0.94, 0.91)).rectangle(0, 0.65, 1, 1, yellow), yellow)


def red_coffee_mug() -> mujoco.MjSpec:
    """A red mug, white inside."""
    red = (0.75, 0.07, 0.06)
    return _mug("red_coffee_mug", Canvas(4, 64, red).rectangle(0, 0, 1, 0.48, (0.93, 0.9, 0.86)), red)


def _mug(category: str, label: Canvas, handle: Colour) -> mujoco.MjSpec:
    builder = ObjectBuilder(category)
    wall = mug_ring(category)
    (x, y), low = wall.centre, builder.properties.low[2]
    radius, height, foot = wall.upper[0], float(builder.properties.size[2]), wall.lower[0]
    profile = [(0.0, 0.002), (0.8 * foot, 0.0), (foot, 0.004), (foot + 0.001, 0.014), (radius, height)]
    profile += [(radius - MUG_WALL, height), (foot - MUG_WALL, 0.014), (0.9 * foot - MUG_WALL, 0.006), (0.0, 0.005)]
    builder.add_visual(revolve(profile).translated((x, y, low)), texture=label.image, gloss=0.7)
    _handle(builder, (x + radius, y), handle)
    side = 0.74 * foot
    builder.add_box_between((x - side, y - side, low), (x + side, y + side, low + MUG_WALL))
    add_ring(builder, wall)
    return builder.finish()


def _handle(builder: ObjectBuilder, edge: tuple[float, float], colour: Colour) -> None:
    """A bent bar, from the wall at `edge` (x, y) [m] outwards."""
    x, y, end = edge[0] - MUG_WALL, edge[1], builder.properties.high[0]
    lower, upper = handle_heights(builder.properties.category)
    middle = end - HANDLE_THICKNESS / 2
    bend = 0.35 * (middle - x)
    path = [(x, upper), (middle - bend, upper), (middle, upper - 0.016), (middle, lower + 0.022)]
    path += [(middle - bend, lower + 0.004), (x, lower)]
    builder.add_visual(tube(path, 2 * GRIP + 0.002, HANDLE_THICKNESS).translated((0.0, y, 0.0)), colour, gloss=0.7)
    for height in (upper, lower):
        builder.add_box_between(
            (x, y - GRIP, height - HANDLE_THICKNESS / 2), (middle, y + GRIP, height + HANDLE_THICKNESS / 2)
        )
    builder.add_box_between((end - HANDLE_THICKNESS, y - GRIP, lower), (end, y + GRIP, upper))
