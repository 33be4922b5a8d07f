"""The basket and the wooden tray, of a floor and four walls; books, standing with the spine towards +y."""

import mujoco
import numpy as np

from ambidex.envs.objects.building.builder import ObjectBuilder
from ambidex.envs.objects.building.canvas import Canvas
from ambidex.envs.objects.building.mesh import Colour, merge
from ambidex.envs.objects.building.rings import INSET
from ambidex.envs.objects.building.shapes import TextureRegion, box
from ambidex.envs.objects.properties import Corners, ObjectProperties
from ambidex.envs.types import ImageArray

# Containers
RIM, OVERHANG = 0.012, 0.0006  # height and overhang of the band around the upper edge [m]

# Books
BOARD = 0.002  # thickness and overhang of the covers [m]
COVER: TextureRegion = (0.0, 0.0, 0.8, 1.0)
SPINE: TextureRegion = (0.8, 0.0, 1.0, 1.0)


def basket() -> mujoco.MjSpec:
    """A basket woven of brown strips."""
    return _container("basket", 0.0035, _weave(), (0.5, 0.33, 0.18))


def wooden_tray() -> mujoco.MjSpec:
    """A deep tray of light wood."""
    wood = Canvas(64, 64, (0.72, 0.5, 0.28)).grain(0.07, seed=3, stretch=(1, 32)).grain(0.04, seed=5, stretch=(2, 64))
    return _container("wooden_tray", 0.006, wood.image, (0.55, 0.36, 0.19))


def _container(category: str, wall: float, texture: ImageArray, rim: Colour) -> mujoco.MjSpec:
    builder = ObjectBuilder(category)
    given = builder.properties
    pieces = [_floor(given, wall), *_walls(given, wall, given.low[2] + INSET)]
    builder.add_boxes(pieces)
    inner = [(np.add(low, OVERHANG), np.subtract(high, OVERHANG)) for low, high in pieces]
    builder.add_visual(merge(*(box(low, high) for low, high in inner)), texture=texture, gloss=0.1)
    band = merge(*(box(low, high) for low, high in _walls(given, wall, given.high[2] - RIM)))
    builder.add_visual(band, rim, gloss=0.1)
    return builder.finish()


def _floor(given: ObjectProperties, wall: float) -> Corners:
    (x0, y0, z0), (x1, y1, _) = given.low, given.high
    return (x0 + wall, y0 + wall, z0), (x1 - wall, y1 - wall, z0 + wall)


def _walls(given: ObjectProperties, wall: float, bottom: float) -> list[Corners]:
    (x0, y0, _), (x1, y1, z1) = given.low, given.high
    return [
        ((x0, y0, bottom), (x0 + wall, y1, z1)),
        ((x1 - wall, y0, bottom), (x1, y1, z1)),
        ((x0 + wall, y0, bottom), (x1 - wall, y0 + wall, z1)),
        ((x0 + wall, y1 - wall, bottom), (x1 - wall, y1, z1)),
    ]


def _weave() -> ImageArray:
    """Strips woven around vertical stakes: light where they are in front, dark where they are behind."""
    size, stakes, strips = 96, 8, 16
    x, y = np.meshgrid(np.arange(size) / size, np.arange(size) / size)
    forward = np.cos(2 * np.pi * stakes / 2 * x + np.pi * np.floor(y * strips))
    roundness = np.abs(np.sin(np.pi * strips * y)) ** 0.5
    return Canvas(size, size, (0.8, 0.6, 0.37)).shade((0.78 + 0.22 * forward) * (0.55 + 0.45 * roundness)).image


def black_book() -> mujoco.MjSpec:
    """A black book with gold letters."""
    return _book("black_book", (0.06, 0.06, 0.07), (0.85, 0.68, 0.25), "NOTES")


def yellow_book() -> mujoco.MjSpec:
    """A yellow book with dark letters."""
    return _book("yellow_book", (0.95, 0.75, 0.08), (0.15, 0.12, 0.1), "ATLAS")


def _book(category: str, cloth: Colour, colour: Colour, title: str) -> mujoco.MjSpec:
    builder = ObjectBuilder(category)
    (x0, y0, z0), (x1, y1, z1) = builder.properties.low, builder.properties.high
    label = Canvas(128, 128, cloth).rectangle(0.08, 0.14, 0.72, 0.17, colour).rectangle(0.08, 0.42, 0.72, 0.45, colour)
    label.text(title, 0.4, 0.3, colour, width=0.54, height=0.18)
    label.rectangle(0.8, 0.1, 1.0, 0.14, colour).rectangle(0.8, 0.86, 1.0, 0.9, colour)
    faces = {"left": COVER, "right": COVER, "top": SPINE, "bottom": SPINE, "front": SPINE, "back": SPINE}
    near = box((x0, y0, z0), (x0 + BOARD, y1, z1), faces)
    far = box((x1 - BOARD, y0, z0), (x1, y1, z1), faces)
    spine = box((x0, y1 - BOARD, z0), (x1, y1, z1), {"front": SPINE, "back": SPINE, "top": SPINE, "bottom": SPINE})
    builder.add_visual(merge(near, far, spine), texture=label.image, gloss=0.2)
    pages = box((x0 + BOARD, y0 + BOARD, z0 + BOARD), (x1 - BOARD, y1 - BOARD, z1 - BOARD))
    builder.add_visual(pages, (0.93, 0.9, 0.82), gloss=0.0)
    builder.add_box_between((x0, y0, z0), (x1, y1, z1))
    return builder.finish()
