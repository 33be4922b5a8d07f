"""Bowls and the ramekin: a small floor and a ring of walls, so that they are hollow."""

from collections.abc import Mapping

import mujoco

from ambidex.envs.objects.builder import Colour, ObjectBuilder
from ambidex.envs.objects.figures import figures
from ambidex.envs.objects.rings import Ring, collide_ring
from ambidex.envs.objects.shapes import Point, revolve

WALLS: Mapping[str, tuple[float, float]] = {  # outer radius at the bottom, thickness of walls and floor [m]
    "akita_black_bowl": (0.0385, 0.0045),
    "white_bowl": (0.0305, 0.004),
    "glazed_rim_porcelain_ramekin": (0.041, 0.0045),
}


def bowl_wall(category: str) -> Ring:
    """The wall of a bowl, down to where the floor begins."""
    given = figures(category)
    foot, thickness = WALLS[category]
    radius = float(given.size[:2].mean()) / 2
    return Ring(
        centre=given.foot, lower=(foot, given.low[2] + 0.001), upper=(radius, given.high[2]), thickness=thickness
    )


def akita_black_bowl() -> mujoco.MjSpec:
    """A black glazed bowl with a foot."""
    outside = [
        (0.0, 0.004),
        (0.029, 0.004),
        (0.031, 0.0),
        (0.034, 0.0),
        (0.037, 0.005),
        (0.0475, 0.02),
        (0.0535, 0.0505),
    ]
    inside = [(0.0535, 0.0505), (0.0505, 0.0502), (0.0445, 0.021), (0.034, 0.0085), (0.0, 0.0065)]
    return _bowl("akita_black_bowl", outside, inside, ((0.05, 0.05, 0.055), (0.16, 0.14, 0.13)), count=12)


def white_bowl() -> mujoco.MjSpec:
    """A small white bowl."""
    outside = [(0.0, 0.003), (0.022, 0.003), (0.024, 0.0), (0.028, 0.001), (0.0355, 0.012), (0.0405, 0.0345)]
    inside = [(0.0405, 0.0345), (0.038, 0.0343), (0.033, 0.016), (0.024, 0.006), (0.0, 0.005)]
    white = (0.93, 0.93, 0.91)
    return _bowl("white_bowl", outside, inside, (white, white), count=12)


def glazed_rim_porcelain_ramekin() -> mujoco.MjSpec:
    """A straight white dish whose rim is glazed brown."""
    category, height = "glazed_rim_porcelain_ramekin", 0.042
    outside: list[Point] = [(0.0, 0.0), (0.0395, 0.0), (0.041, 0.003), (0.0435, height - 0.006)]
    inside: list[Point] = [(0.0405, height - 0.006), (0.0375, 0.006), (0.0, 0.005)]
    rim: list[Point] = [(0.0435, height - 0.006), (0.0446, height - 0.003), (0.0435, height), (0.0405, height - 0.006)]
    builder = ObjectBuilder(category)
    low = (*builder.figures.centre[:2], builder.figures.low[2])
    for profile in (outside, inside):
        builder.show(revolve(profile).moved(low), (0.92, 0.89, 0.82), gloss=0.6)
    builder.show(revolve(rim).moved(low), (0.45, 0.24, 0.12), gloss=0.6)
    return _hollow(builder, count=8)


def _bowl(
    category: str, outside: list[Point], inside: list[Point], colours: tuple[Colour, Colour], *, count: int
) -> mujoco.MjSpec:
    """Profiles stand on z = 0; the bowl's box decides how they are stretched."""
    builder = ObjectBuilder(category)
    given = builder.figures
    factors = given.size / (2 * outside[-1][0], 2 * outside[-1][0], outside[-1][1])
    for profile, colour in zip((outside, inside), colours, strict=True):
        mesh = revolve(profile).stretched(factors).moved((*given.centre[:2], given.low[2]))
        builder.show(mesh, colour, gloss=0.7)
    return _hollow(builder, count=count)


def _hollow(builder: ObjectBuilder, *, count: int) -> mujoco.MjSpec:
    wall, bottom = bowl_wall(builder.figures.category), builder.figures.low[2]
    (x, y), side = wall.centre, 0.76 * wall.lower[0]
    builder.collide_between((x - side, y - side, bottom), (x + side, y + side, bottom + wall.thickness))
    collide_ring(builder, wall, count)
    return builder.finish()
