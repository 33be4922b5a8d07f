"""Rigid transforms: position [m] and unit quaternion (wxyz)."""

import math
from dataclasses import dataclass
from typing import Self

import mujoco
import numpy as np

from ambidex.envs.types import FloatArray


@dataclass(frozen=True, eq=False)
class Pose:
    """The pose of one frame in another, `T_ab`: `T_ab @ T_bc == T_ac`.

    Attributes:
        position: Shape (3,), [m].
        quaternion: Shape (4,), wxyz, unit norm.
    """

    position: FloatArray
    quaternion: FloatArray

    @classmethod
    def at(cls, position: object, quaternion: object = (1.0, 0.0, 0.0, 0.0)) -> Self:
        """From any sequences; the quaternion is normalised."""
        q = np.array(quaternion, dtype=np.float64)
        mujoco.mju_normalize4(q)
        return cls(np.array(position, dtype=np.float64), q)

    def __matmul__(self, other: "Pose") -> "Pose":
        position, quaternion = np.empty(3), np.empty(4)
        mujoco.mju_mulPose(position, quaternion, self.position, self.quaternion, other.position, other.quaternion)
        return Pose(position, quaternion)

    def inverse(self) -> "Pose":
        position, quaternion = np.empty(3), np.empty(4)
        mujoco.mju_negPose(position, quaternion, self.position, self.quaternion)
        return Pose(position, quaternion)

    def shifted(self, offset: object) -> "Pose":
        """Moved by `offset` (3,) [m], given in the parent frame."""
        return Pose(self.position + np.asarray(offset, dtype=np.float64), self.quaternion)

    def axis(self, index: int) -> FloatArray:
        """The frame's x, y or z axis (index 0, 1, 2) in the parent frame, shape (3,)."""
        out, unit = np.empty(3), np.zeros(3)
        unit[index] = 1.0
        mujoco.mju_rotVecQuat(out, unit, self.quaternion)
        return out


def norm(vector: FloatArray) -> float:
    """Euclidean norm of a contiguous vector, bit for bit that of `np.linalg.norm`, which takes seven times as long."""
    return math.sqrt(vector.dot(vector))


def quaternion_about(axis: object, angle: float) -> FloatArray:
    """Unit quaternion (wxyz) of a rotation by `angle` [rad] about `axis` (3,)."""
    out = np.empty(4)
    mujoco.mju_axisAngle2Quat(out, np.asarray(axis, dtype=np.float64), angle)
    return out


def quaternion_product(*factors: FloatArray) -> FloatArray:
    """Left-to-right product of quaternions (wxyz)."""
    result = factors[0]
    for factor in factors[1:]:
        out = np.empty(4)
        mujoco.mju_mulQuat(out, result, factor)
        result = out
    return result


def quaternion_of(matrix: FloatArray) -> FloatArray:
    """Unit quaternion (wxyz) of a rotation matrix, shape (3, 3) or (9,)."""
    out = np.empty(4)
    mujoco.mju_mat2Quat(out, matrix.ravel())
    return out


def rotation_matrix(quaternion: FloatArray) -> FloatArray:
    """Rotation matrix (3, 3) of a unit quaternion (wxyz)."""
    out = np.empty(9)
    mujoco.mju_quat2Mat(out, quaternion)
    return out.reshape(3, 3)


def rotation_between(start: FloatArray, end: FloatArray) -> FloatArray:
    """Rotation vector (3,) [rad] in the parent frame that turns `start` (wxyz) into `end`; norm at most pi."""
    inverse, difference, vector = np.empty(4), np.empty(4), np.empty(3)
    mujoco.mju_negQuat(inverse, start)
    mujoco.mju_mulQuat(difference, end, inverse)
    mujoco.mju_quat2Vel(vector, difference, 1.0)
    return vector


def angle_between(a: Pose, b: Pose) -> float:
    """Angle between two orientations [rad]."""
    return norm(rotation_between(a.quaternion, b.quaternion))
