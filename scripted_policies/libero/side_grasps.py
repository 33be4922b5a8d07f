"""Grasps for places that a hand cannot come into from above: all others, and handles held by a hand that lies low."""

import math
from collections.abc import Iterator

import numpy as np

from ambidex.envs.objects.dishes import BAR, handle_heights
from ambidex.envs.objects.figures import figures
from ambidex.envs.simulation.pose import Pose
from ambidex.scripted_policies.libero.grasp import Grasp
from ambidex.scripted_policies.libero.grasps import OPEN, grasps
from ambidex.scripted_policies.libero.tool_frame import DOWN, pointing

MUGS = ("porcelain_mug", "white_yellow_mug", "red_coffee_mug")
BACK = 0.003  # of the grip site from the middle of a handle, so that the palm stays clear of it [m]
LEANS = ((45, 0.0), (38, 0.2), (52, 0.2), (30, 0.5), (60, 0.5))  # from straight down [degrees], and the rank


def side_grasps(category: str) -> tuple[Grasp, ...]:
    """All grasps of a category, and those of its handle from the side."""
    return (*grasps(category), *(_handle(category) if category in MUGS else ()))


def _handle(category: str) -> Iterator[Grasp]:
    """The upright bar of a mug's handle."""
    spot = np.array([figures(category).high[0] - BAR / 2, 0.0, np.mean(handle_heights(category))])
    for angle, rank in LEANS:
        lean = math.radians(angle)
        approach = math.cos(lean) * np.array(DOWN) - math.sin(lean) * np.array((1.0, 0.0, 0.0))
        yield Grasp("handle", Pose.at(spot - BACK * approach, pointing(approach, (0.0, 1.0, 0.0))), OPEN, rank)


def has_rim(category: str) -> bool:
    """Whether a thing is open above, such as a mug."""
    return any(grasp.name == "rim" for grasp in grasps(category))
