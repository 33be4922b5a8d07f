"""Tins, which lie on their side."""

import mujoco

from ambidex.envs.objects.builder import Colour, ObjectBuilder
from ambidex.envs.objects.canvas import Canvas
from ambidex.envs.objects.lying import laid_down
from ambidex.envs.objects.rings import collide_bar
from ambidex.envs.objects.shapes import Point, revolve
from ambidex.envs.types import ImageArray

STEEL = (0.72, 0.73, 0.75)
READ_AT = (0.25, 0.75)  # where around the tin its name is written: it lies on one, the other is seen from above
LETTERS = 0.32  # width of a line, as a part of the way around


def alphabet_soup() -> mujoco.MjSpec:
    """Blue, with yellow letters."""
    yellow, white = (0.98, 0.78, 0.12), (0.97, 0.97, 0.95)
    label = Canvas(192, 96, (0.1, 0.25, 0.62)).block(0, 0, 1, 0.12, yellow).block(0, 0.88, 1, 1, yellow)
    for x in READ_AT:
        label.text("ALPHABET", x, 0.32, white, width=LETTERS, height=0.2)
        label.text("SOUP", x, 0.62, yellow, width=LETTERS, height=0.3)
    return _can("alphabet_soup", label)


def tomato_sauce() -> mujoco.MjSpec:
    """Red between two green bands, with white letters."""
    green, white = (0.1, 0.42, 0.14), (1.0, 0.97, 0.92)
    label = Canvas(192, 96, (0.82, 0.09, 0.05)).block(0, 0, 1, 0.12, green).block(0, 0.88, 1, 1, green)
    for x in READ_AT:
        label.text("TOMATO\nSAUCE", x, 0.5, white, width=LETTERS, height=0.5)
    return _can("tomato_sauce", label)


def _can(category: str, label: Canvas) -> mujoco.MjSpec:
    builder = ObjectBuilder(category)
    given = builder.figures
    x, y, z = given.centre
    radii, half = (given.size[0] / 2, given.size[2] / 2), given.size[1] / 2

    def show(profile: list[Point], colour: Colour, texture: ImageArray | None, gloss: float) -> None:
        real = [(radius * radii[0], at) for radius, at in profile]
        mesh = laid_down(revolve(real)).stretched((1.0, 1.0, radii[1] / radii[0])).moved((x, y, z))
        builder.show(mesh, colour, texture, gloss=gloss)

    wall = half - 0.003
    show([(0.985, -wall), (0.985, wall)], (1.0, 1.0, 1.0), label.image, 0.5)
    for end in (-1, 1):
        lid = [(0.985, wall), (1.0, half - 0.001), (0.96, half), (0.92, half - 0.002), (0.0, half - 0.002)]
        show(lid if end > 0 else [(radius, -at) for radius, at in reversed(lid)], STEEL, None, 0.8)
    collide_bar(builder, (x, y, z), radii, half, axis="y")
    return builder.finish()
