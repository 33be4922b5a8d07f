"""Tins, which lie on their side."""

import mujoco

from ambidex.envs.objects.builder import Colour, ObjectBuilder
from ambidex.envs.objects.canvas import Canvas
from ambidex.envs.objects.lying import along, laid_down
from ambidex.envs.objects.rings import collide_bar
from ambidex.envs.objects.shapes import Point, revolve
from ambidex.envs.types import ImageArray

STEEL = (0.72, 0.73, 0.75)
READ_AT = (0.36, 0.86)  # where around the tin a label is read: seen from above and from +x, and on the far side


def alphabet_soup() -> mujoco.MjSpec:
    """Blue, with yellow letters."""
    label = (
        Canvas(128, 192, (0.1, 0.25, 0.62))
        .block(0, 0, 0.12, 1, (0.95, 0.75, 0.1))
        .block(0.88, 0, 1, 1, (0.95, 0.75, 0.1))
    )
    for y in READ_AT:
        label.text("ALPHABET", 0.5, y - 0.06, (0.97, 0.97, 0.95), width=0.7, height=0.09)
        label.text("SOUP", 0.5, y + 0.06, (1.0, 0.82, 0.15), width=0.7, height=0.13)
    return _can("alphabet_soup", label)


def tomato_sauce() -> mujoco.MjSpec:
    """Red between two green bands, with white letters."""
    green, white = (0.1, 0.42, 0.14), (1.0, 0.97, 0.92)
    label = Canvas(128, 192, (0.82, 0.09, 0.05)).block(0, 0, 0.12, 1, green).block(0.88, 0, 1, 1, green)
    for y in READ_AT:
        label.text("TOMATO", 0.5, y - 0.055, white, width=0.68, height=0.11)
        label.text("SAUCE", 0.5, y + 0.065, white, width=0.6, height=0.11)
    return _can("tomato_sauce", label)


def _can(category: str, label: Canvas) -> mujoco.MjSpec:
    builder = ObjectBuilder(category)
    given = builder.figures
    x, y, z = given.centre
    radii, half = (given.size[0] / 2, given.size[2] / 2), given.size[1] / 2

    def show(profile: list[Point], colour: Colour, texture: ImageArray | None, gloss: float) -> None:
        mesh = laid_down(revolve(profile)).stretched((radii[0], 1.0, radii[1])).moved((x, y, z))
        builder.show(mesh, colour, texture, gloss=gloss)

    wall = half - 0.003
    show([(0.985, -wall), (0.985, wall)], (1.0, 1.0, 1.0), along(label.image), 0.5)
    for end in (-1, 1):
        lid = [(0.985, wall), (1.0, half - 0.001), (0.96, half), (0.92, half - 0.002), (0.0, half - 0.002)]
        show(lid if end > 0 else [(radius, -at) for radius, at in reversed(lid)], STEEL, None, 0.8)
    collide_bar(builder, (x, y, z), radii, half, axis="y")
    return builder.finish()
