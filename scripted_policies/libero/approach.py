"""From where a hand comes to a grasp: straight down, or back along itself if it leans."""

import math

from ambidex.envs.simulation.pose import Pose
from ambidex.scripted_policies.libero.tool_frame import advanced

BACK, FAR_BACK = 0.08, 0.14  # from which the hand approaches, straight down and leaning [m]
LEANING = 0.45  # from which a hand counts as leaning [rad]


def leans(tool: Pose) -> bool:
    """Whether the hand does not point straight down."""
    return bool(tool.axis(2)[2] > -math.cos(LEANING))


def before(tool: Pose) -> Pose:
    """From where the hand approaches a grasp."""
    return advanced(tool, -FAR_BACK if leans(tool) else -BACK)
