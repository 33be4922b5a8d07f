"""Orientations of the hand. The tool frame's z axis points out of the hand, its y axis along the closing direction."""

import itertools
import math

import mujoco
import numpy as np

from ambidex.envs.objects.properties import object_properties
from ambidex.envs.simulation.pose import Pose, quaternion_about, quaternion_product, rotation_between
from ambidex.envs.simulation.scene import Scene
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


# FOLDED scripted_policies.libero.approach: From where a hand comes to a grasp: straight down, or back along itself if it leans.

BACK, FAR_BACK = 0.08, 0.14  # from which the hand approaches, straight down and leaning [m]
LEANING = 0.45  # from which a hand counts as leaning [rad]


def leans(tool: Pose) -> bool:
    """Whether the hand does not point straight down."""
    return bool(tool.axis(2)[2] > -math.cos(LEANING))


def before(tool: Pose) -> Pose:
    """From where the hand approaches a grasp."""
    return advanced(tool, -FAR_BACK if leans(tool) else -BACK)


# FOLDED scripted_policies.libero.corners: Corners of things that are turned.


def corners_of(category: str, quaternion: FloatArray) -> FloatArray:
    """Corners of a turned thing's box, seen from its origin, shape (8, 3) [m]."""
    given = object_properties(category)
    turned = Pose.at((0, 0, 0), quaternion)
    ends = itertools.product(*zip(given.low, given.high, strict=True))
    return np.array([(turned @ Pose.at(corner)).position for corner in ends])


# FOLDED scripted_policies.libero.articulation: A drawer, door or knob, and where what moves with it will be.


class Articulation:
    """One joint of a fixture."""

    def __init__(self, scene: Scene, joint: str) -> None:
        self._scene = scene
        self.joint = joint
        self._slides = scene.model.joint(joint).type[0] == mujoco.mjtJoint.mjJNT_SLIDE.value

    @property
    def position(self) -> float:
        """Where it is [m or rad]."""
        return float(self._scene.data.joint(self.joint).qpos[0])

    @property
    def axis(self) -> FloatArray:
        """Its axis in the world, shape (3,)."""
        return np.asarray(self._scene.data.joint(self.joint).xaxis.copy())

    def carried(self, pose: Pose, change: float) -> Pose:
        """Where a pose fixed to the moving part will be when the joint has moved by `change` [m or rad]."""
        if self._slides:
            return pose.shifted(change * self.axis)
        anchor = self._scene.data.joint(self.joint).xanchor
        turn = quaternion_about(self.axis, change)
        moved = Pose.at(anchor, turn) @ Pose.at(pose.position - anchor)
        return Pose(moved.position, quaternion_product(turn, pose.quaternion))
