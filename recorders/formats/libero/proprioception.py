"""Proprioception as LIBERO's files hold it, computed from stored states."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ambidex.envs.types import FloatArray

if TYPE_CHECKING:
    from ambidex.envs.env import Environment
    from ambidex.envs.simulation.scene import Scene

HAND = "right_hand"  # robosuite takes the orientation of this body, and the position of the grip site


@dataclass(frozen=True, kw_only=True, eq=False)
class LiberoProprioception:
    """The robot before each of T actions, as LIBERO's files hold it; all float64.

    Attributes:
        gripper_states: Positions of both finger joints [m], shape (T, 2).
        joint_states: Joint positions [rad], shape (T, 7).
        ee_pos: Position of the grip site in the world [m], shape (T, 3).
        ee_quat: Orientation of the hand in the world as xyzw, shape (T, 4).
    """

    gripper_states: FloatArray
    joint_states: FloatArray
    ee_pos: FloatArray
    ee_quat: FloatArray

    @property
    def ee_ori(self) -> FloatArray:
        """Orientation of the hand as axis times angle [rad], the angle from 0 to 2 pi, shape (T, 3)."""
        return np.stack([axis_angle(quaternion) for quaternion in self.ee_quat])

    @property
    def ee_states(self) -> FloatArray:
        """Position and axis-angle orientation, shape (T, 6)."""
        return np.concatenate([self.ee_pos, self.ee_ori], axis=1)

    @property
    def robot_states(self) -> FloatArray:
        """Fingers, position and quaternion xyzw, shape (T, 9)."""
        return np.concatenate([self.gripper_states, self.ee_pos, self.ee_quat], axis=1)


def proprioception(env: "Environment", states: FloatArray) -> LiberoProprioception:
    """The robot in each of T states (T, S), for a robot with one arm. The environment's state is overwritten."""
    rows = []
    for state in states:
        env.scene.set_state(state)
        rows.append(_measurements(env.scene))
    return _collect(rows)


def current_proprioception(env: "Environment") -> LiberoProprioception:
    """The robot in the present state of an environment (T = 1), which stays as it is; for a robot with one arm."""
    return _collect([_measurements(env.scene)])


def _measurements(scene: "Scene") -> tuple[object, ...]:
    prefix, arm = scene.robot.prefixes[0], scene.robot.arms[0]
    wxyz = scene.body_pose(f"{prefix}{HAND}").quaternion
    return (
        [scene.data.joint(name).qpos[0] for name in (arm.gripper.joint, arm.gripper.mirror_joint)],
        [scene.data.joint(name).qpos[0] for name in arm.joints],
        scene.site_pose(arm.tcp_site).position,
        np.r_[wxyz[1:], wxyz[0]],
    )


def _collect(rows: Sequence[tuple[object, ...]]) -> LiberoProprioception:
    gripper, joints, positions, quaternions = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    return LiberoProprioception(gripper_states=gripper, joint_states=joints, ee_pos=positions, ee_quat=quaternions)


def axis_angle(xyzw: FloatArray) -> FloatArray:
    """The rotation of a unit quaternion xyzw as axis times angle [rad], shape (3,).

    As in LIBERO's files, the sign of the quaternion decides between an angle and 2 pi less that angle.
    """
    w = float(np.clip(xyzw[3], -1.0, 1.0))
    sine = np.sqrt(1.0 - w * w)
    if np.isclose(sine, 0.0):
        return np.zeros(3)
    return np.asarray(xyzw[:3] * 2.0 * np.arccos(w) / sine, np.float64)
