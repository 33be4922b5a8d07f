"""Conditions that the goals of several tasks share: at rest, released, upright, one thing on another."""

import math
from collections.abc import Sequence

import numpy as np

from ambidex.envs.simulation.pose import Pose, norm
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import FloatArray

MAX_SPEED = 0.05  # of an object at rest [m/s]
MAX_SPIN = 0.5  # [rad/s]
ARMS = ("left", "right")
TABLE_GAP = 0.00061  # between the table and an object at rest on it: the table's contacts have a margin of 0.6 mm [m]


def at_rest(scene: Scene, *bodies: str) -> bool:
    """Whether bodies move slower than `MAX_SPEED` and turn slower than `MAX_SPIN`."""
    return all(
        norm(linear) <= MAX_SPEED and norm(angular) <= MAX_SPIN for linear, angular in map(scene.body_velocity, bodies)
    )


def released(scene: Scene, *bodies: str) -> bool:
    """Whether no part of either arm touches any of the bodies."""
    return not any(scene.groups_touch(body, f"{arm}_arm") for body in bodies for arm in ARMS)


def held(scene: Scene, body: str) -> bool:
    """Whether both fingers of one arm touch a body."""
    return any(scene.grasped(body, arm) for arm in ARMS)


def touched(scene: Scene, body: str) -> bool:
    """Whether a finger of either arm touches a body."""
    return any(scene.groups_touch(body, f"{arm}_fingers") for arm in ARMS)


def tilt(pose: Pose) -> float:
    """Angle between a body's z axis and the vertical [rad], 0 to pi."""
    return math.acos(float(np.clip(pose.axis(2)[2], -1.0, 1.0)))


def offset(scene: Scene, body: str, of: str) -> FloatArray:
    """Position of a body in the frame of another (3,) [m]."""
    return (scene.body_pose(of).inverse() @ scene.body_pose(body)).position


def positions_in(scene: Scene, bodies: Sequence[str], of: str) -> FloatArray:
    """Positions of bodies in the frame of another, shape (bodies, 3) [m]."""
    frame = scene.body_pose(of)
    axes = np.stack([frame.axis(0), frame.axis(1), frame.axis(2)], axis=1)
    return np.asarray((scene.body_poses(bodies).reshape(-1, 7)[:, :3] - frame.position) @ axes)
