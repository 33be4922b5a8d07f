"""Flat packets: a box with a label on both faces and its name along the edges."""

from collections.abc import Callable

import mujoco
import numpy as np

from ambidex.envs.objects.builder import ObjectBuilder
from ambidex.envs.objects.canvas import Canvas, Ink
from ambidex.envs.objects.shapes import Cell, box
from ambidex.envs.pose import quaternion_about

FACE: Cell = (0.0, 0.0, 1.0, 0.7)
EDGE: Cell = (0.0, 0.7, 1.0, 1.0)
CELLS = {"top": FACE, "bottom": FACE, "front": EDGE, "back": EDGE, "left": EDGE, "right": EDGE}
WHITE: Ink = (0.96, 0.96, 0.94)


def butter() -> mujoco.MjSpec:
    """Yellow, with one word in blue."""

    def draw(label: Canvas, ink: Ink = (0.1, 0.22, 0.6)) -> None:
        label.block(0.06, 0.1, 0.94, 0.6, (1.0, 0.93, 0.62)).text("BUTTER", 0.5, 0.35, ink, width=0.8, height=0.3)
        label.text("BUTTER", 0.5, 0.86, ink, width=0.6, height=0.16)

    return _packet("butter", (0.97, 0.8, 0.15), draw)


def cream_cheese() -> mujoco.MjSpec:
    """White and blue, with a white disc of cheese."""

    def draw(label: Canvas, ink: Ink = (0.1, 0.25, 0.62)) -> None:
        label.block(0, 0, 1, 0.16, ink).block(0, 0.54, 1, 0.7, ink)
        label.text("CREAM\nCHEESE", 0.5, 0.35, ink, width=0.8, height=0.32)
        label.block(0, 0.7, 1, 1.0, ink).text("CREAM CHEESE", 0.5, 0.86, WHITE, width=0.8, height=0.16)

    return _packet("cream_cheese", (0.9, 0.92, 0.95), draw)


def chocolate_pudding() -> mujoco.MjSpec:
    """Brown, with a bowl of pudding."""

    def draw(label: Canvas, ink: Ink = (0.96, 0.86, 0.68)) -> None:
        label.disc(0.8, 0.35, 0.22, ink).disc(0.8, 0.35, 0.16, (0.24, 0.1, 0.05)).disc(0.8, 0.33, 0.06, WHITE)
        label.text("CHOCOLATE\nPUDDING", 0.34, 0.35, ink, width=0.58, height=0.36)
        label.text("PUDDING", 0.5, 0.86, ink, width=0.7, height=0.18)

    return _packet("chocolate_pudding", (0.4, 0.19, 0.1), draw)


def cookies() -> mujoco.MjSpec:
    """Teal, with three cookies."""

    def draw(label: Canvas, ink: Ink = (0.86, 0.6, 0.3)) -> None:
        for x in (0.2, 0.5, 0.8):
            label.disc(x, 0.47, 0.15, ink)
            for dx, dy in ((-0.04, -0.04), (0.04, -0.01), (-0.01, 0.06)):
                label.disc(x + dx, 0.47 + dy, 0.026, (0.3, 0.15, 0.07))
        label.text("COOKIES", 0.5, 0.16, WHITE, width=0.86, height=0.2)
        label.text("COOKIES", 0.5, 0.86, WHITE, width=0.7, height=0.18)

    return _packet("cookies", (0.05, 0.45, 0.47), draw, sideways=True)


def _packet(category: str, paper: Ink, draw: Callable[[Canvas], None], *, sideways: bool = False) -> mujoco.MjSpec:
    """A packet whose label is read along x, or along y if `sideways`."""
    label = Canvas(128, 96, paper)
    draw(label)
    builder = ObjectBuilder(category)
    low, high = builder.figures.low, builder.figures.high
    turned = box(low, high, CELLS).turned(quaternion_about((0.0, 0.0, 1.0), np.pi / 2 if sideways else 0.0))
    builder.show(turned.within(low, high), texture=label.image, gloss=0.2)
    builder.collide_between(low, high)
    return builder.finish()
