"""Corners of things that are turned."""

import itertools

import numpy as np

from ambidex.envs.objects.figures import figures
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.types import FloatArray


def corners_of(category: str, quaternion: FloatArray) -> FloatArray:
    """Corners of a turned thing's box, seen from its origin, shape (8, 3) [m]."""
    given = figures(category)
    turned = Pose.at((0, 0, 0), quaternion)
    ends = itertools.product(*zip(given.low, given.high, strict=True))
    return np.array([(turned @ Pose.at(corner)).position for corner in ends])
