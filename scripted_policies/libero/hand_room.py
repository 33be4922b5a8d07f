"""Whether there is room for the hand in a covered place, by its box alone: cheap, before anything is tried."""

import itertools

import numpy as np

from ambidex.envs.simulation.pose import Pose
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.opening import Opening

PALM = 0.1  # from the grip site back to the wrist, which stays outside [m]
HAND = ((-0.028, -0.1, -PALM), (0.028, 0.1, -0.034))  # the hand's box in the tool frame, the fingers left out [m]
CORNERS = np.array(list(itertools.product(*zip(*HAND, strict=True))))


def hand_fits(tool: Pose, opening: Opening) -> bool:
    """Whether the wrist is outside, and what of the hand is inside is below the roof and above the floor."""
    if opening.outside(tool.position - PALM * tool.axis(2)) < 0.0:
        return False
    corners = tool.position + CORNERS @ _axes(tool).T
    height = corners[:, 2]
    inside = (corners - opening.centre) @ opening.outwards < opening.front
    return bool((~inside | ((height > opening.floor) & (height < opening.roof))).all())


def _axes(tool: Pose) -> FloatArray:
    return np.stack([tool.axis(0), tool.axis(1), tool.axis(2)], axis=1)
