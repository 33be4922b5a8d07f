"""Geometry that skills and planners share: orientations of the hand, corners of boxes, joints of fixtures.

In the tool frame the z axis points out of the hand and the y axis along the direction in which the fingers close.
"""

import itertools
import math
from functools import cache
from typing import NamedTuple

import mujoco
import numpy as np

from ambidex.envs.objects.properties import object_properties
from ambidex.envs.simulation.pose import (
    Pose,
    quaternion_about,
    quaternion_of,
    quaternion_product,
    rotation_between,
    rotation_matrix,
)
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import FloatArray

DOWN = (0.0, 0.0, -1.0)
CONJUGATE = np.array([1.0, -1.0, -1.0, -1.0])
TILTED = 0.45  # angle from straight down from which a hand counts as tilted [rad]
BACK, TILTED_BACK = 0.08, 0.14  # distance of the pregrasp pose from the grasp, hand straight down and tilted [m]


def hand_orientation(approach: object, closing: object) -> FloatArray:
    """Quaternion (wxyz) of a hand that points along `approach` (3,) and closes along `closing` (3,).

    The component of `closing` along `approach` is ignored.

    Raises:
        ValueError: The two are parallel.
    """
    z = np.asarray(approach, dtype=np.float64)
    z = z / np.linalg.norm(z)
    y = np.asarray(closing, dtype=np.float64) - z * float(np.dot(z, np.asarray(closing, dtype=np.float64)))
    if np.linalg.norm(y) < 1e-6:
        raise ValueError(f"A hand cannot close along the direction it points in: {approach!r}, {closing!r}.")
    y = y / np.linalg.norm(y)
    return orientation(np.cross(y, z), y, z)


def orientation(x: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
    """Quaternion (wxyz) of a frame with these axes, each of shape (3,), orthonormal and right-handed."""
    return quaternion_of(np.stack([x, y, z], axis=1))


def both_finger_orders(tool: Pose) -> tuple[Pose, Pose]:
    """A pose of the hand, and the same with the two fingers exchanged."""
    return tool, tool @ Pose.at((0, 0, 0), quaternion_about((0, 0, 1), math.pi))


def tool_poses(position: FloatArray, approach: object, closing: object) -> tuple[Pose, Pose]:
    """The poses, in both finger orders, of a hand at a position (3,) [m] with a `hand_orientation`."""
    return both_finger_orders(Pose(position, hand_orientation(approach, closing)))


def advanced(tool: Pose, distance: float) -> Pose:
    """The hand moved along the direction it points in [m]; negative is back."""
    return tool.shifted(distance * tool.axis(2))


def is_tilted(tool: Pose) -> bool:
    """Whether the hand does not point straight down."""
    return bool(tool.axis(2)[2] > -math.cos(TILTED))


def pregrasp_pose(tool: Pose) -> Pose:
    """The pose from which the hand approaches a grasp, back along the hand."""
    return advanced(tool, -TILTED_BACK if is_tilted(tool) else -BACK)


def poses_between(start: Pose, end: Pose, number: int) -> list[Pose]:
    """Evenly spaced poses on the straight line from start (excluded) to end (included)."""
    rotation = rotation_between(start.quaternion, end.quaternion)
    angle = float(np.linalg.norm(rotation))
    axis = rotation / angle if angle > 1e-9 else np.array([0.0, 0.0, 1.0])
    way = end.position - start.position
    return [
        Pose(start.position + share * way, quaternion_product(quaternion_about(axis, share * angle), start.quaternion))
        for share in np.arange(1, number + 1) / number
    ]


class Stance(NamedTuple):
    """The orientation of an object that one of its axes points up in.

    Attributes:
        up: Index of the axis of its body frame that points up: +x, +y, +z, -x, -y, -z.
        yaw: Rotation about the vertical [rad].
    """

    up: int
    yaw: float

    @property
    def quaternion(self) -> FloatArray:
        """Quaternion (wxyz)."""
        return quaternion_product(quaternion_about((0, 0, 1), self.yaw), UPRIGHT_ROTATIONS[self.up])

    def turned(self, angle: float) -> "Stance":
        """Rotated about the vertical by an angle [rad]."""
        return Stance(self.up, self.yaw + angle)


UPRIGHT_ROTATIONS = (
    quaternion_about((0, 1, 0), -math.pi / 2),
    quaternion_about((1, 0, 0), math.pi / 2),
    np.array([1.0, 0.0, 0.0, 0.0]),
    quaternion_about((0, 1, 0), math.pi / 2),
    quaternion_about((1, 0, 0), -math.pi / 2),
    quaternion_about((1, 0, 0), math.pi),
)
"""For each axis +x, +y, +z, -x, -y, -z of a frame: a rotation (wxyz) that makes it point up."""


def stance_of(quaternion: FloatArray) -> Stance:
    """The stance nearest to an orientation (wxyz)."""
    vertical = rotation_matrix(quaternion)[2]
    up = int(np.argmax([*vertical, *-vertical]))
    x = rotation_matrix(quaternion_product(quaternion, UPRIGHT_ROTATIONS[up] * CONJUGATE))[:, 0]
    return Stance(up, math.atan2(x[1], x[0]))


@cache
def initial_stance(category: str) -> Stance:
    """How an object of a category stands initially: cans, cartons and bottles upright."""
    return stance_of(np.array(object_properties(category).initial_orientation))


def box_size(category: str, up: int) -> tuple[float, float, float]:
    """Sizes of an object's box with an axis of its frame (as in `Stance`) up: two horizontal ones, and height [m]."""
    x, y, z = np.abs(rotation_matrix(UPRIGHT_ROTATIONS[up]) @ object_properties(category).size)
    return float(x), float(y), float(z)


def box_corners(category: str, quaternion: FloatArray) -> FloatArray:
    """Corners of an object's box in an orientation (wxyz), relative to the object's origin, shape (8, 3) [m]."""
    properties = object_properties(category)
    turned = Pose.at((0, 0, 0), quaternion)
    corners = itertools.product(*zip(properties.low, properties.high, strict=True))
    return np.array([(turned @ Pose.at(corner)).position for corner in corners])


class FixtureJoint:
    """The joint of a drawer, door or knob, and where it moves what is fixed to it; `slides` is false for a hinge."""

    def __init__(self, scene: Scene, name: str) -> None:
        self._scene = scene
        self.name = name
        self.slides = scene.model.joint(name).type[0] == mujoco.mjtJoint.mjJNT_SLIDE.value

    @property
    def position(self) -> float:
        """[m or rad]."""
        return self._scene.joint_position(self.name)

    @property
    def axis(self) -> FloatArray:
        """Axis in the world, shape (3,)."""
        return np.asarray(self._scene.data.joint(self.name).xaxis.copy())

    def moved(self, pose: Pose, change: float) -> Pose:
        """A pose fixed to the moving part, after the joint has moved by `change` [m or rad]."""
        if self.slides:
            return pose.shifted(change * self.axis)
        anchor = self._scene.data.joint(self.name).xanchor
        rotation = quaternion_about(self.axis, change)
        moved = Pose.at(anchor, rotation) @ Pose.at(pose.position - anchor)
        return Pose(moved.position, quaternion_product(rotation, pose.quaternion))
