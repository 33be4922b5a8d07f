"""Packets, cans that lie on their side, and cartons with a gable that lie on their side."""

import mujoco
import numpy as np

from ambidex.envs.objects.building.builder import ObjectBuilder
from ambidex.envs.objects.building.canvas import Canvas
from ambidex.envs.objects.building.mesh import Colour, Mesh, lay_down, merge
from ambidex.envs.objects.building.rings import add_round_bar
from ambidex.envs.objects.building.shapes import Point, TextureRegion, box, revolve
from ambidex.envs.types import ImageArray

# Packets: the label is on both large sides, the name along the edges.
FACE: TextureRegion = (0.0, 0.0, 1.0, 0.7)
EDGE: TextureRegion = (0.0, 0.7, 1.0, 1.0)
PACKET_REGIONS = {"top": FACE, "bottom": FACE, "front": EDGE, "back": EDGE, "left": EDGE, "right": EDGE}
WHITE: Colour = (0.96, 0.96, 0.94)

# Cans
STEEL = (0.72, 0.73, 0.75)
NAMES_AT = (0.25, 0.75)  # positions of the name around the can: at the bottom and on top
NAME_WIDTH = 0.32  # as a fraction of the circumference

# Cartons
GABLE, FOLD = 0.033, 0.011  # lengths of the sloped part and of the fold above it [m]
SIDE: TextureRegion = (0.0, 0.0, 1.0, 0.625)
END: TextureRegion = (0.0, 0.625, 1.0, 1.0)
CARTON_REGIONS = {"front": SIDE, "back": SIDE, "left": SIDE, "right": SIDE, "bottom": END}


def butter() -> mujoco.MjSpec:
    """A yellow packet with one word in blue."""
    blue = (0.1, 0.22, 0.6)
    label = Canvas(128, 96, (0.97, 0.8, 0.15)).rectangle(0.06, 0.1, 0.94, 0.6, (1.0, 0.93, 0.62))
    label.text("BUTTER", 0.5, 0.35, blue, width=0.8, height=0.3)
    label.text("BUTTER", 0.5, 0.86, blue, width=0.6, height=0.16)
    return _packet("butter", label)


def cream_cheese() -> mujoco.MjSpec:
    """A white and blue packet."""
    blue = (0.1, 0.25, 0.62)
    label = Canvas(128, 96, (0.9, 0.92, 0.95)).rectangle(0, 0, 1, 0.16, blue).rectangle(0, 0.54, 1, 0.7, blue)
    label.text("CREAM\nCHEESE", 0.5, 0.35, blue, width=0.8, height=0.32)
    label.rectangle(0, 0.7, 1, 1.0, blue).text("CREAM CHEESE", 0.5, 0.86, WHITE, width=0.8, height=0.16)
    return _packet("cream_cheese", label)


def chocolate_pudding() -> mujoco.MjSpec:
    """A brown packet with a bowl of pudding."""
    cream, brown = (0.96, 0.86, 0.68), (0.24, 0.1, 0.05)
    label = Canvas(128, 96, (0.4, 0.19, 0.1))
    label.disc(0.8, 0.35, 0.22, cream).disc(0.8, 0.35, 0.16, brown).disc(0.8, 0.33, 0.06, WHITE)
    label.text("CHOCOLATE\nPUDDING", 0.34, 0.35, cream, width=0.58, height=0.36)
    label.text("PUDDING", 0.5, 0.86, cream, width=0.7, height=0.18)
    return _packet("chocolate_pudding", label)


def cookies() -> mujoco.MjSpec:
    """A teal packet with four cookies."""
    label = Canvas(128, 160, (0.05, 0.45, 0.47))
    for x, y in ((0.27, 0.33), (0.73, 0.33), (0.27, 0.56), (0.73, 0.56)):
        label.disc(x, y, 0.1, (0.86, 0.6, 0.3))
        for dx, dy in ((-0.06, -0.03), (0.06, -0.01), (-0.01, 0.04)):
            label.disc(x + dx, y + dy, 0.018, (0.3, 0.15, 0.07))
    label.text("COOKIES", 0.5, 0.12, WHITE, width=0.88, height=0.15)
    label.text("COOKIES", 0.5, 0.86, WHITE, width=0.7, height=0.18)
    return _packet("cookies", label)


def _packet(category: str, label: Canvas) -> mujoco.MjSpec:
    builder = ObjectBuilder(category)
    low, high = builder.properties.low, builder.properties.high
    builder.add_visual(box(low, high, PACKET_REGIONS), texture=label.image, gloss=0.2)
    builder.add_box_between(low, high)
    return builder.finish()


def alphabet_soup() -> mujoco.MjSpec:
    """A blue can with yellow letters."""
    yellow, white = (0.98, 0.78, 0.12), (0.97, 0.97, 0.95)
    label = Canvas(192, 96, (0.1, 0.25, 0.62)).rectangle(0, 0, 1, 0.12, yellow).rectangle(0, 0.88, 1, 1, yellow)
    for x in NAMES_AT:
        label.text("ALPHABET", x, 0.32, white, width=NAME_WIDTH, height=0.2)
        label.text("SOUP", x, 0.62, yellow, width=NAME_WIDTH, height=0.3)
    return _can("alphabet_soup", label)


def tomato_sauce() -> mujoco.MjSpec:
    """A red can with two green bands and white letters."""
    green, white = (0.1, 0.42, 0.14), (1.0, 0.97, 0.92)
    label = Canvas(192, 96, (0.82, 0.09, 0.05)).rectangle(0, 0, 1, 0.12, green).rectangle(0, 0.88, 1, 1, green)
    for x in NAMES_AT:
        label.text("TOMATO\nSAUCE", x, 0.5, white, width=NAME_WIDTH, height=0.5)
    return _can("tomato_sauce", label)


def _can(category: str, label: Canvas) -> mujoco.MjSpec:
    builder = ObjectBuilder(category)
    given = builder.properties
    x, y, z = given.centre
    radii, half = (given.size[0] / 2, given.size[2] / 2), given.size[1] / 2

    def add_part(profile: list[Point], colour: Colour, texture: ImageArray | None, gloss: float) -> None:
        real = [(radius * radii[0], at) for radius, at in profile]
        mesh = lay_down(revolve(real)).scaled((1.0, 1.0, radii[1] / radii[0])).translated((x, y, z))
        builder.add_visual(mesh, colour, texture, gloss=gloss)

    wall = half - 0.003
    add_part([(0.985, -wall), (0.985, wall)], (1.0, 1.0, 1.0), label.image, 0.5)
    for end in (-1, 1):
        lid = [(0.985, wall), (1.0, half - 0.001), (0.96, half), (0.92, half - 0.002), (0.0, half - 0.002)]
        add_part(lid if end > 0 else [(radius, -at) for radius, at in reversed(lid)], STEEL, None, 0.8)
    add_round_bar(builder, (x, y, z), radii, half, axis="y")
    return builder.finish()


def milk() -> mujoco.MjSpec:
    """A white and blue carton."""
    blue, white = (0.12, 0.35, 0.75), (0.95, 0.96, 0.97)
    label = Canvas(64, 160, white).rectangle(0, 0, 1, 0.1, blue).rectangle(0, 0.5, 1, 1, blue)
    label.text("MILK", 0.5, 0.3, blue, width=0.8, height=0.25)
    label.text("MILK", 0.5, 0.81, white, width=0.8, height=0.25)
    return _carton("milk", label, blue)


def orange_juice() -> mujoco.MjSpec:
    """An orange carton with slices of orange."""
    leaf, fruit, white = (0.13, 0.45, 0.15), (1.0, 0.72, 0.2), (0.98, 0.97, 0.93)
    label = Canvas(64, 160, (0.95, 0.5, 0.08)).rectangle(0, 0, 1, 0.06, leaf)
    for y in (0.45, 0.81):
        label.disc(0.5, y, 0.14, white).disc(0.5, y, 0.12, fruit)
    label.text("ORANGE\nJUICE", 0.5, 0.19, white, width=0.86, height=0.2)
    return _carton("orange_juice", label, leaf)


def _carton(category: str, label: Canvas, top: Colour) -> mujoco.MjSpec:
    builder = ObjectBuilder(category)
    (x0, y0, z0), (x1, y1, z1) = builder.properties.low, builder.properties.high
    shoulder, fold = y1 - GABLE - FOLD, y1 - FOLD
    middle = (z0 + z1) / 2
    builder.add_visual(
        lay_down(box((x0, -z1, y0), (x1, -z0, shoulder), CARTON_REGIONS)), texture=label.image, gloss=0.3
    )
    builder.add_visual(lay_down(_top(x0, x1, -z1, -z0, (shoulder, fold, y1))), top, gloss=0.3)
    builder.add_box_between((x0, y0, z0), (x1, shoulder, z1))
    half = 0.45 * (z1 - z0) / 2
    builder.add_box_between((x0 + 0.001, shoulder, middle - half), (x1 - 0.001, fold, middle + half))
    builder.add_box_between((x0 + 0.001, fold, middle - 0.002), (x1 - 0.001, y1, middle + 0.002))
    return builder.finish()


def _top(x0: float, x1: float, y0: float, y1: float, levels: tuple[float, float, float]) -> Mesh:
    """The gable that narrows towards the middle of y, and the fold on top, of an upright carton."""
    shoulder, fold, top = levels
    middle, half = (y0 + y1) / 2, 0.0015
    fin = box((x0, middle - half, fold), (x1, middle + half, top))
    corners = [(x0, y0, shoulder), (x1, y0, shoulder), (x1, y1, shoulder), (x0, y1, shoulder)]
    ridge = [(x0, middle - half, fold), (x1, middle - half, fold), (x1, middle + half, fold), (x0, middle + half, fold)]
    slopes = (_quad(corners[i], corners[(i + 1) % 4], ridge[(i + 1) % 4], ridge[i]) for i in range(4))
    return merge(fin, *slopes)


def _quad(*corners: tuple[float, float, float]) -> Mesh:
    vertices = np.array(corners)
    normal = np.cross(vertices[1] - vertices[0], vertices[2] - vertices[0])
    normals = np.tile(normal / np.linalg.norm(normal), (4, 1))
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    return Mesh(vertices=vertices, normals=normals, uv=np.zeros((4, 2)), faces=faces)
