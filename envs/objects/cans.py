"""Tins, which lie on their side."""

import mujoco

from ambidex.envs.objects.builder import ObjectBuilder
from ambidex.envs.objects.canvas import Canvas
from ambidex.envs.objects.lying import along, laid_down
from ambidex.envs.objects.rings import collide_bar
from ambidex.envs.objects.shapes import Point, revolve

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
    """Red, with a tomato and a green leaf."""
    label = (
        Canvas(128, 192, (0.78, 0.1, 0.07))
        .block(0, 0, 0.08, 1, (0.12, 0.42, 0.16))
        .block(0.92, 0, 1, 1, (0.12, 0.42, 0.16))
    )
    for y in READ_AT:
        label.block(0.14, y - 0.13, 0.86, y + 0.13, (0.97, 0.93, 0.84))
        label.text("TOMATO", 0.5, y - 0.06, (0.7, 0.08, 0.05), width=0.66, height=0.1)
        label.text("SAUCE", 0.5, y + 0.06, (0.1, 0.36, 0.13), width=0.6, height=0.1)
    return _can("tomato_sauce", label)


def _can(category: str, label: Canvas) -> mujoco.MjSpec:
    builder = ObjectBuilder(category)
    given = builder.figures
    x, y, z = given.centre
    radii, half = (given.size[0] / 2, given.size[2] / 2), given.size[1] / 2

    def show(profile: list[Point], paint: Canvas | None) -> None:
        mesh = laid_down(revolve(profile)).stretched((radii[0], 1.0, radii[1])).moved((x, y, z))
        builder.show(mesh, texture=along(paint.image) if paint else None, gloss=0.5) if paint else builder.show(
            mesh, STEEL, gloss=0.8
        )

    wall = half - 0.003
    show([(0.985, -wall), (0.985, wall)], label)
    for end in (-1, 1):
        lid = [(0.985, wall), (1.0, half - 0.001), (0.96, half), (0.92, half - 0.002), (0.0, half - 0.002)]
        show(lid if end > 0 else [(radius, -at) for radius, at in reversed(lid)], None)
    collide_bar(builder, (x, y, z), radii, half, axis="y")
    return builder.finish()
