"""A chest whose lid a spring closes, with a handle that sticks out at the lid's left end."""

import math

import mujoco

from ambidex.envs.objects.building.mesh import Colour, Mesh, merge
from ambidex.envs.objects.building.prop_builder import HINGE, PropBuilder
from ambidex.envs.objects.building.shapes import box

LENGTH, DEPTH = 0.16, 0.14  # along x and y [m]
WALL = 0.006  # thickness of walls and floor [m]
HEIGHT = 0.065  # of the walls [m]
LID = 0.012  # thickness of the lid [m]
HINGE_Y = DEPTH / 2  # of the lid's axis, which is along x at the back [m]
WIDEST = math.radians(115.0)  # to which the lid opens
HANDLE_LENGTH, HANDLE = 0.06, 0.016  # length and thickness of the handle [m]
HANDLE_AT = (-(LENGTH + HANDLE_LENGTH) / 2, -0.12, LID / 2)  # its middle, in the frame of the lid [m]
STIFFNESS = 0.05  # of the lid's spring [N m/rad]
DAMPING = 0.15  # of the lid, which falls shut in 3 s [N m s/rad]
ARMATURE = 0.01  # of the lid: fingers that move it press against more than its small inertia [kg m^2]
BAND, BAND_OUT, BAND_X = 0.014, 0.0008, 0.05  # width, thickness and distance from the middle of metal bands [m]
WALNUT: Colour = (0.38, 0.24, 0.16)
TEAK: Colour = (0.52, 0.35, 0.22)
BRASS: Colour = (0.74, 0.61, 0.34)


def chest() -> mujoco.MjSpec:
    """A chest whose frame is on the table below its middle; its part is the "lid", with the geom "lid_handle".

    The handle is a bar along the hinge: a tool that points along it can follow the lid by turning about itself.
    """
    builder = PropBuilder("chest", free=False)
    builder.box((0, 0, WALL / 2), (LENGTH / 2, DEPTH / 2, WALL / 2), WALNUT, name="chest_floor")
    middle, half = (WALL + HEIGHT) / 2, (HEIGHT - WALL) / 2
    for sign in (-1.0, 1.0):
        builder.box((sign * (LENGTH - WALL) / 2, 0, middle), (WALL / 2, DEPTH / 2, half), WALNUT)
        builder.box((0, sign * (DEPTH - WALL) / 2, middle), (LENGTH / 2 - WALL, WALL / 2, half), WALNUT)
    for face in (-DEPTH / 2, DEPTH / 2 - BAND_OUT):
        builder.look(_bands(face, face + BAND_OUT, 0.0, HEIGHT), BRASS)
    _add_lid(builder)
    builder.look(_bands(-DEPTH, 0.0, BAND_OUT, LID + BAND_OUT), BRASS, body="lid")
    return builder.spec


def _add_lid(builder: PropBuilder) -> None:
    builder.part(
        "lid",
        (0, HINGE_Y, HEIGHT),
        joint=HINGE,
        axis=(-1, 0, 0),
        span=(0.0, WIDEST),
        damping=DAMPING,
        stiffness=STIFFNESS,
        armature=ARMATURE,
    )
    builder.box((0, -DEPTH / 2, LID / 2), (LENGTH / 2, DEPTH / 2, LID / 2), TEAK, body="lid")
    x, y, z = HANDLE_AT
    builder.capsule(
        (-LENGTH / 2, y, z), (x - HANDLE_LENGTH / 2, y, z), HANDLE / 2, BRASS, name="lid_handle", body="lid"
    )


def _bands(front: float, back: float, bottom: float, top: float) -> Mesh:
    """Two metal bands from front to back, a little wider than that, and from bottom to top."""
    low, high = (-BAND / 2, front - BAND_OUT, bottom), (BAND / 2, back + BAND_OUT, top)
    return merge(*(box(low, high).translated((x, 0.0, 0.0)) for x in (-BAND_X, BAND_X)))
