"""Bottles: barbecue sauce and wine stand, ketchup and dressings lie on their flat sides."""

from dataclasses import dataclass

import mujoco
import numpy as np

from ambidex.envs.objects.building.builder import ObjectBuilder
from ambidex.envs.objects.building.canvas import Canvas
from ambidex.envs.objects.building.mesh import Colour, Mesh, lay_down, rotate_label
from ambidex.envs.objects.building.rings import add_round_bar
from ambidex.envs.objects.building.shapes import Point, revolve
from ambidex.envs.types import FloatArray, ImageArray

WHITE: Colour = (0.97, 0.96, 0.93)
SQUARENESS = 3.0  # exponent of the sections
BROAD, NARROW = 0.62, 0.5  # widths of the two crossed boxes of a section, relative to the section
FACES = (0.28, 0.78)  # positions of the labels around a lying bottle: its broad sides, a little towards +x

# Wine bottle
BODY, SHOULDER = 0.092, 0.115  # heights of the straight part and of the shoulder [m]
NECK = 0.0085  # radius [m]


@dataclass(frozen=True, kw_only=True)
class _Bottle:
    """Shape of a bottle. Heights are fractions of its length, radii fractions of its half widths.

    Attributes:
        body: Profile of the body up to the neck, from the bottom.
        shoulder: Height up to which it is as wide as the body.
        neck: Height at which the cap starts.
        cap: Radius of the cap, as a fraction of the smaller half width.
        cap_colour: Colour of the cap.
    """

    body: tuple[Point, ...]
    shoulder: float
    neck: float
    cap: float
    cap_colour: Colour


SQUEEZE = _Bottle(
    body=((0.0, 0.0), (0.88, 0.0), (1.0, 0.04), (0.97, 0.35), (1.0, 0.62), (0.85, 0.73), (0.4, 0.8)),
    shoulder=0.66,
    neck=0.8,
    cap=0.72,
    cap_colour=(0.95, 0.95, 0.93),
)
GLASS = _Bottle(
    body=((0.0, 0.0), (0.88, 0.0), (1.0, 0.04), (1.0, 0.52), (0.85, 0.62), (0.38, 0.74), (0.34, 0.83)),
    shoulder=0.56,
    neck=0.83,
    cap=0.62,
    cap_colour=(0.1, 0.4, 0.16),
)
JUG = _Bottle(
    body=((0.0, 0.0), (0.92, 0.0), (1.0, 0.04), (1.0, 0.64), (0.85, 0.74), (0.4, 0.82)),
    shoulder=0.68,
    neck=0.82,
    cap=0.75,
    cap_colour=(0.85, 0.42, 0.06),
)


def ketchup() -> mujoco.MjSpec:
    """A red squeeze bottle with a white label and cap."""
    label = Canvas(128, 128, (0.8, 0.06, 0.04))
    for y in FACES:
        label.rectangle(0.08, y - 0.14, 0.66, y + 0.14, WHITE)
        label.rectangle(0.08, y + 0.09, 0.66, y + 0.12, (0.15, 0.5, 0.2))
        label.text("KETCHUP", 0.37, y - 0.02, (0.75, 0.05, 0.04), width=0.5, height=0.16)
    return _lying("ketchup", SQUEEZE, label)


def salad_dressing() -> mujoco.MjSpec:
    """A pale green bottle with a white label and a green cap."""
    return _lying("salad_dressing", GLASS, _dressing())


def new_salad_dressing() -> mujoco.MjSpec:
    """The same bottle with its frame nearer to the bottom."""
    return _lying("new_salad_dressing", GLASS, _dressing())


def bbq_sauce() -> mujoco.MjSpec:
    """A dark brown bottle with an orange label and cap."""
    label = Canvas(128, 96, (0.2, 0.07, 0.04))
    label.rectangle(0.0, 0.42, 1.0, 0.88, (0.92, 0.5, 0.08))
    for x in (0.0, 0.25, 0.5, 0.75, 1.0):  # the texture's ends meet at +x
        label.text("BBQ", x, 0.56, (0.2, 0.05, 0.02), width=0.2, height=0.2)
        label.text("SAUCE", x, 0.77, WHITE, width=0.2, height=0.14)
    builder = ObjectBuilder("bbq_sauce")
    given = builder.properties
    base = np.array([*given.centre[:2], given.low[2]])
    for mesh, colour, texture in _meshes(JUG, given.size[0], given.size[1], given.size[2], label.image):
        builder.add_visual(mesh.translated(base), colour, texture, gloss=0.5)
    for low, high in _solids(JUG, given.size):
        builder.add_box_between(base + low, base + high)
    return builder.finish()


def _dressing() -> Canvas:
    label = Canvas(128, 128, (0.72, 0.74, 0.4))
    for y in FACES:
        label.rectangle(0.07, y - 0.16, 0.56, y + 0.16, WHITE)
        label.rectangle(0.07, y + 0.12, 0.56, y + 0.16, (0.16, 0.48, 0.2))
        label.text("SALAD\nDRESSING", 0.315, y - 0.02, (0.1, 0.38, 0.14), width=0.42, height=0.2)
    return label


def _lying(category: str, bottle: _Bottle, label: Canvas) -> mujoco.MjSpec:
    builder = ObjectBuilder(category)
    given = builder.properties
    base = np.array([given.centre[0], given.low[1], given.centre[2]])
    length, image = given.size[1], rotate_label(label.image)
    for mesh, colour, texture in _meshes(bottle, given.size[0], given.size[2], length, image):
        builder.add_visual(lay_down(mesh).translated(base), colour, texture, gloss=0.5)
    upright = np.array([given.size[0], given.size[2], length])
    for low, high in _solids(bottle, upright):  # symmetric in y, so laying down swaps y and z
        builder.add_box_between(base + low[[0, 2, 1]], base + high[[0, 2, 1]])
    return builder.finish()


def _meshes(
    bottle: _Bottle, width: float, depth: float, length: float, label: ImageArray
) -> list[tuple[Mesh, Colour, ImageArray | None]]:
    """Body and cap of an upright bottle at the origin, each with its colour and texture."""
    profile = [(radius * width / 2, height * length) for radius, height in bottle.body]
    body = revolve(profile, power=SQUARENESS, by_height=True).scaled((1.0, depth / width, 1.0))
    radius, neck = bottle.cap * depth / 2, bottle.neck * length
    sides: list[Point] = [(radius, neck), (radius * 0.92, length), (0.0, length)]
    return [(body, (1.0, 1.0, 1.0), label), (revolve([(0.0, neck), *sides], 12), bottle.cap_colour, None)]


def _solids(bottle: _Bottle, size: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
    """Corners of the boxes of an upright bottle at the origin, of `size` (3,) [m]."""
    half, length = size / 2, size[2]
    cap = bottle.cap * half[1]
    pieces = [
        (half[0], NARROW * half[1], 0.0, bottle.shoulder * length),
        (BROAD * half[0], half[1], 0.0, bottle.shoulder * length),
        (cap, cap * 0.7, bottle.shoulder * length, length),
    ]
    return [(np.array([-x, -y, low]), np.array([x, y, high])) for x, y, low, high in pieces]


def wine_bottle() -> mujoco.MjSpec:
    """Dark green glass, a cream label, red foil around the neck."""
    builder = ObjectBuilder("wine_bottle")
    given = builder.properties
    x, y, _ = given.centre
    low, length = given.low[2], float(given.size[2])
    wide, deep = float(given.size[0]) / 2, float(given.size[1]) / 2
    label = Canvas(128, 96, (0.06, 0.16, 0.08))
    label.rectangle(0.0, 0.42, 1.0, 0.84, (0.93, 0.89, 0.76)).rectangle(0.0, 0.77, 1.0, 0.8, (0.45, 0.05, 0.1))
    for u in (0.0, 0.25, 0.5, 0.75, 1.0):  # the texture's ends meet at +x
        label.text("WINE", u, 0.6, (0.45, 0.05, 0.1), width=0.2, height=0.2)
    profile = [(0.0, 0.0), (0.9 * wide, 0.0), (wide, 0.004), (wide, BODY), (0.8 * wide, BODY + 0.013)]
    profile.append((NECK, SHOULDER + 0.008))
    glass = revolve(profile, by_height=True).scaled((1.0, deep / wide, 1.0)).translated((x, y, low))
    builder.add_visual(glass, texture=label.image, gloss=0.9)
    foil = [(NECK, SHOULDER + 0.008), (NECK, length), (0.0, length)]
    builder.add_visual(revolve(foil, 12).translated((x, y, low)), (0.5, 0.06, 0.1), gloss=0.6)
    add_round_bar(builder, (x, y, low + BODY / 2), (wide, deep), BODY / 2)
    half = 0.62 * wide
    builder.add_box_between((x - half, y - half, low + BODY), (x + half, y + half, low + SHOULDER))
    add_round_bar(builder, (x, y, low + (SHOULDER + length) / 2), (NECK, NECK), (length - SHOULDER) / 2, flat=1.0)
    return builder.finish()
