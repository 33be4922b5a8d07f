"""Places open above, and so narrow that a long thing stands in them only when it is square to the walls."""

import math

import numpy as np

from ambidex.envs.objects.figures import figures
from ambidex.envs.tasks.libero.goals.world import RegionFrame

OBLONG = 1.5  # length by width, from which a thing counts as long
SPARE = 1.2  # width of a region by length of a thing, below which the region is narrow for it
ON_FLOOR = 0.02  # of a thing's lowest point above the region's lower end, at most [m]
QUARTERS = tuple(quarter * math.pi / 2 for quarter in range(4))


def is_narrow(frame: RegionFrame, category: str) -> bool:
    """Whether a thing has to be square to a region to stand in it with room for the fingers.

    What is longer than the region, such as a bottle in a basket, is dropped in and lies as it likes, and so does what
    lies from the beginning, such as a bottle of ketchup in a drawer.
    """
    *level, height = figures(category).size
    width, length = sorted(level)
    least, most = sorted(2.0 * frame.half_size[:2])
    return bool(height > width and length > OBLONG * width and least < SPARE * length < SPARE * most)


def square_yaws(frame: RegionFrame, category: str) -> tuple[float, ...]:
    """How a thing may be turned about the vertical so that it fits [rad]."""
    facing = math.atan2(frame.rotation[1, 0], frame.rotation[0, 0])
    x, y = figures(category).size[:2]
    fits = [bool((2 * frame.half_size[:2] > size).all()) for size in ((x, y), (y, x))]
    return tuple(facing + quarter for number, quarter in enumerate(QUARTERS) if fits[number % 2])


def on_floor(frame: RegionFrame, lowest: float) -> bool:
    """Whether the lowest point of a thing [m] is down where the region ends."""
    bottom = frame.position[2] - np.abs(frame.rotation @ frame.half_size)[2]
    return bool(lowest < bottom + ON_FLOOR)
