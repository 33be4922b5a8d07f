"""Cartons of milk and juice with a gable, which lie on their side."""

import mujoco
import numpy as np

from ambidex.envs.objects.builder import ObjectBuilder
from ambidex.envs.objects.canvas import Canvas, Ink
from ambidex.envs.objects.lying import laid_down
from ambidex.envs.objects.mesh import Mesh, joined
from ambidex.envs.objects.shapes import Cell, box

GABLE, FIN = 0.033, 0.011  # length of the sloped part and of the fold above it [m]
SIDE: Cell = (0.0, 0.0, 1.0, 0.625)
END: Cell = (0.0, 0.625, 1.0, 1.0)
CELLS = {"front": SIDE, "back": SIDE, "left": SIDE, "right": SIDE, "bottom": END}


def milk() -> mujoco.MjSpec:
    """White and blue."""
    blue, white = (0.12, 0.35, 0.75), (0.95, 0.96, 0.97)
    label = Canvas(64, 160, white).block(0, 0, 1, 0.1, blue).block(0, 0.5, 1, 1, blue)
    label.text("MILK", 0.5, 0.3, blue, width=0.8, height=0.25)
    label.text("MILK", 0.5, 0.81, white, width=0.8, height=0.25)
    return _carton("milk", label, blue)


def orange_juice() -> mujoco.MjSpec:
    """Orange, with half an orange."""
    leaf, fruit, white = (0.13, 0.45, 0.15), (1.0, 0.72, 0.2), (0.98, 0.97, 0.93)
    label = Canvas(64, 160, (0.95, 0.5, 0.08)).block(0, 0, 1, 0.06, leaf)
    for y in (0.45, 0.81):
        label.disc(0.5, y, 0.14, white).disc(0.5, y, 0.12, fruit)
    label.text("ORANGE\nJUICE", 0.5, 0.19, white, width=0.86, height=0.2)
    return _carton("orange_juice", label, leaf)


def _carton(category: str, label: Canvas, top: Ink) -> mujoco.MjSpec:
    builder = ObjectBuilder(category)
    (x0, y0, z0), (x1, y1, z1) = builder.figures.low, builder.figures.high
    shoulder, fold = y1 - GABLE - FIN, y1 - FIN
    middle = (z0 + z1) / 2
    builder.show(laid_down(box((x0, -z1, y0), (x1, -z0, shoulder), CELLS)), texture=label.image, gloss=0.3)
    builder.show(laid_down(_top(x0, x1, -z1, -z0, (shoulder, fold, y1))), top, gloss=0.3)
    builder.collide_between((x0, y0, z0), (x1, shoulder, z1))
    half = 0.45 * (z1 - z0) / 2
    builder.collide_between((x0 + 0.001, shoulder, middle - half), (x1 - 0.001, fold, middle + half))
    builder.collide_between((x0 + 0.001, fold, middle - 0.002), (x1 - 0.001, y1, middle + 0.002))
    return builder.finish()


def _top(x0: float, x1: float, y0: float, y1: float, levels: tuple[float, float, float]) -> Mesh:
    """The gable that narrows towards the middle of y, and the fold on top, of an upright carton."""
    shoulder, fold, top = levels
    middle, half = (y0 + y1) / 2, 0.0015
    fin = box((x0, middle - half, fold), (x1, middle + half, top))
    corners = [(x0, y0, shoulder), (x1, y0, shoulder), (x1, y1, shoulder), (x0, y1, shoulder)]
    ridge = [(x0, middle - half, fold), (x1, middle - half, fold), (x1, middle + half, fold), (x0, middle + half, fold)]
    slopes = (_quad(corners[i], corners[(i + 1) % 4], ridge[(i + 1) % 4], ridge[i]) for i in range(4))
    return joined(fin, *slopes)


def _quad(*corners: tuple[float, float, float]) -> Mesh:
    vertices = np.array(corners)
    normal = np.cross(vertices[1] - vertices[0], vertices[2] - vertices[0])
    normals = np.tile(normal / np.linalg.norm(normal), (4, 1))
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    return Mesh(vertices=vertices, normals=normals, uv=np.zeros((4, 2)), faces=faces)
