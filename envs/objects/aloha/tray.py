"""A serving tray on feet, with a handle at each end."""

from itertools import product

import mujoco

from ambidex.envs.objects.building.prop_builder import PropBuilder

LENGTH, WIDTH = 0.36, 0.22  # along x and y, without the handles [m]
FOOT = 0.012  # height of the feet [m]
FLOOR = 0.022  # height of the surface that carries things [m]
RIM, RIM_HEIGHT = 0.008, 0.040  # thickness, and height above the table [m]
HANDLE_LENGTH, HANDLE = 0.07, 0.02  # thickness of the handles [m]
HANDLE_HEIGHT = 0.032  # of their centres above the table [m]
HANDLE_X = LENGTH / 2 + HANDLE_LENGTH / 2  # of their centres [m]
SIDES = {"left": -1.0, "right": 1.0}
OAK, WALNUT, BRASS = (0.68, 0.54, 0.37), (0.40, 0.25, 0.15), (0.80, 0.67, 0.38)


def tray() -> mujoco.MjSpec:
    """A tray whose frame is on the table below its middle; the geoms of its handles are called `<side>_handle`.

    The handles are bars along x that stick out at the ends, like those of a stretcher: fingers close on their sides.
    """
    builder = PropBuilder("tray", density=380.0)
    builder.box((0, 0, (FOOT + FLOOR) / 2), (LENGTH / 2, WIDTH / 2, (FLOOR - FOOT) / 2), OAK, name="tray_floor")
    middle, half = (FLOOR + RIM_HEIGHT) / 2, (RIM_HEIGHT - FLOOR) / 2
    for sign in SIDES.values():
        builder.box((sign * (LENGTH - RIM) / 2, 0, middle), (RIM / 2, WIDTH / 2, half), WALNUT)
        builder.box((0, sign * (WIDTH - RIM) / 2, middle), (LENGTH / 2 - RIM, RIM / 2, half), WALNUT)
    for x, y in product(SIDES.values(), repeat=2):
        builder.cylinder((x * (LENGTH / 2 - 0.03), y * (WIDTH / 2 - 0.03), FOOT / 2), 0.011, FOOT / 2, WALNUT)
    for side, sign in SIDES.items():
        start, end = ((sign * x, 0, HANDLE_HEIGHT) for x in (LENGTH / 2, LENGTH / 2 + HANDLE_LENGTH - HANDLE / 2))
        builder.capsule(start, end, HANDLE / 2, BRASS, name=f"{side}_handle")
    return builder.spec
