"""Flat packets: a box with a label on both faces and its name along the edges."""

from collections.abc import Callable

import mujoco

from ambidex.envs.objects.builder import ObjectBuilder
from ambidex.envs.objects.canvas import Canvas, Ink
from ambidex.envs.objects.shapes import Cell, box

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
    """Teal, with four cookies."""

    def draw(label: Canvas, ink: Ink = (0.86, 0.6, 0.3)) -> None:
        for x, y in ((0.27, 0.33), (0.73, 0.33), (0.27, 0.56), (0.73, 0.56)):
            label.disc(x, y, 0.1, ink)
            for dx, dy in ((-0.06, -0.03), (0.06, -0.01), (-0.01, 0.04)):
                label.disc(x + dx, y + dy, 0.018, (0.3, 0.15, 0.07))
        label.text("COOKIES", 0.5, 0.12, WHITE, width=0.88, height=0.15)
        label.text("COOKIES", 0.5, 0.86, WHITE, width=0.7, height=0.18)

    return _packet("cookies", (0.05, 0.45, 0.47), draw, height=160)


def _packet(category: str, paper: Ink, draw: Callable[[Canvas], None], *, height: int = 96) -> mujoco.MjSpec:
    """A packet whose label is read along x; `height` is that of the picture [dots]."""
    label = Canvas(128, height, paper)
    draw(label)
    builder = ObjectBuilder(category)
    low, high = builder.figures.low, builder.figures.high
    builder.show(box(low, high, CELLS), texture=label.image, gloss=0.2)
    builder.collide_between(low, high)
    return builder.finish()
