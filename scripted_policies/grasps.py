"""Tool orientations for grasping, by heading and pitch."""

import math

import numpy as np

from ambidex.envs.simulation.pose import Pose, quaternion_about, quaternion_product
from ambidex.envs.types import FloatArray


def tool_orientation(heading: float, pitch: float, roll: float = 0.0) -> FloatArray:
    """Quaternion (wxyz) of a tool that points along `heading` [rad] about the vertical, nose down by `pitch` [rad].

    At pitch pi/2 the tool points straight down. `roll` turns it about its own forward axis.
    """
    return quaternion_product(
        quaternion_about((0, 0, 1), heading), quaternion_about((0, 1, 0), pitch), quaternion_about((1, 0, 0), roll)
    )


def heading_along(pose: Pose, forward: float, symmetry: float) -> float:
    """The heading [rad] nearest to `forward` along which an object of that rotational symmetry can be grasped.

    Args:
        pose: The object, whose x axis lies level.
        forward: The heading the arm likes best [rad].
        symmetry: Angle after which the object looks the same: pi/2 for a cube, pi for a peg [rad].
    """
    axis = pose.axis(0)
    yaw = math.atan2(axis[1], axis[0])
    return forward + (yaw - forward + symmetry / 2) % symmetry - symmetry / 2


def level(pose: Pose) -> bool:
    """Whether the object's x axis lies within about 3 degrees of level."""
    return bool(abs(pose.axis(0)[2]) < 0.05)


def offset_along(heading: float, distance: float) -> FloatArray:
    """A level vector (3,) [m] along a heading [rad]."""
    return distance * np.array([math.cos(heading), math.sin(heading), 0.0])
