"""Books that stand on their lower edge, spine towards +y."""

import mujoco

from ambidex.envs.objects.builder import ObjectBuilder
from ambidex.envs.objects.canvas import Canvas, Ink
from ambidex.envs.objects.mesh import joined
from ambidex.envs.objects.shapes import Cell, box

BOARD = 0.002  # thickness of the covers, and how far they stand out over the pages [m]
COVER: Cell = (0.0, 0.0, 0.8, 1.0)
SPINE: Cell = (0.8, 0.0, 1.0, 1.0)


def black_book() -> mujoco.MjSpec:
    """Black, with gold letters."""
    return _book("black_book", (0.06, 0.06, 0.07), (0.85, 0.68, 0.25), "NOTES")


def yellow_book() -> mujoco.MjSpec:
    """Yellow, with dark letters."""
    return _book("yellow_book", (0.95, 0.75, 0.08), (0.15, 0.12, 0.1), "ATLAS")


def _book(category: str, cloth: Ink, ink: Ink, title: str) -> mujoco.MjSpec:
    builder = ObjectBuilder(category)
    (x0, y0, z0), (x1, y1, z1) = builder.figures.low, builder.figures.high
    label = Canvas(128, 128, cloth).block(0.08, 0.14, 0.72, 0.17, ink).block(0.08, 0.42, 0.72, 0.45, ink)
    label.text(title, 0.4, 0.3, ink, width=0.54, height=0.18)
    label.block(0.8, 0.1, 1.0, 0.14, ink).block(0.8, 0.86, 1.0, 0.9, ink)
    faces = {"left": COVER, "right": COVER, "top": SPINE, "bottom": SPINE, "front": SPINE, "back": SPINE}
    near = box((x0, y0, z0), (x0 + BOARD, y1, z1), faces)
    far = box((x1 - BOARD, y0, z0), (x1, y1, z1), faces)
    spine = box((x0, y1 - BOARD, z0), (x1, y1, z1), {"front": SPINE, "back": SPINE, "top": SPINE, "bottom": SPINE})
    builder.show(joined(near, far, spine), texture=label.image, gloss=0.2)
    pages = box((x0 + BOARD, y0 + BOARD, z0 + BOARD), (x1 - BOARD, y1 - BOARD, z1 - BOARD))
    builder.show(pages, (0.93, 0.9, 0.82), gloss=0.0)
    builder.collide_between((x0, y0, z0), (x1, y1, z1))
    return builder.finish()
