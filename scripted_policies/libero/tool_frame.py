"""Orientations of the hand. The tool frame's z axis points out of the hand, its y axis along the closing direction."""

import math

import mujoco
import numpy as np

from ambidex.envs.simulation.pose import Pose, quaternion_about, quaternion_product, rotation_between
from ambidex.envs.types import FloatArray

DOWN = (0.0, 0.0, -1.0)


def pointing(approach: object, closing: object) -> FloatArray:
    """Quaternion (wxyz) of a hand that points along `approach` (3,) and closes along `closing` (3,).

    What of `closing` lies along `approach` is left out.

    Raises:
        ValueError: The two are parallel.
    """
    z = np.asarray(approach, dtype=np.float64)
    z = z / np.linalg.norm(z)
    y = np.asarray(closing, dtype=np.float64) - z * float(np.dot(z, np.asarray(closing, dtype=np.float64)))
    if np.linalg.norm(y) < 1e-6:
        raise ValueError(f"A hand cannot close along the direction it points in: {approach!r}, {closing!r}.")
    y = y / np.linalg.norm(y)
    quaternion = np.empty(4)
    mujoco.mju_mat2Quat(quaternion, np.stack([np.cross(y, z), y, z], axis=1).ravel())
    return quaternion


def both_ways(tool: Pose) -> tuple[Pose, Pose]:
    """A grasp, and the same with the fingers exchanged."""
    return tool, tool @ Pose.at((0, 0, 0), quaternion_about((0, 0, 1), math.pi))


def turn_between(a: Pose, b: Pose) -> float:
    """Angle between two orientations [rad]."""
    return float(np.linalg.norm(rotation_between(a.quaternion, b.quaternion)))


def advanced(tool: Pose, distance: float) -> Pose:
    """The tool moved along its own pointing direction [m]; negative is back."""
    return tool.shifted(distance * tool.axis(2))


def poses_between(start: Pose, end: Pose, number: int) -> list[Pose]:
    """Evenly spaced poses on the straight way from one to another, the start left out and the end included."""
    turn = rotation_between(start.quaternion, end.quaternion)
    angle = float(np.linalg.norm(turn))
    axis = turn / angle if angle > 1e-9 else np.array([0.0, 0.0, 1.0])
    way = end.position - start.position
    return [
        Pose(start.position + share * way, quaternion_product(quaternion_about(axis, share * angle), start.quaternion))
        for share in np.arange(1, number + 1) / number
    ]
