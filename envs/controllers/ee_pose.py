"""End-effector pose control: per arm the TCP's position, orientation and the gripper opening."""

from collections.abc import Sequence

import numpy as np

from ambidex.envs.registry import EE_POSE
from ambidex.envs.robot import Arm
from ambidex.envs.simulation.joint_space import JointSpace
from ambidex.envs.simulation.kinematics import Kinematics
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import Float32Array, FloatArray
from ambidex.errors import InvalidActionError

MIN_QUATERNION = 1e-3  # norm below which a quaternion is no orientation
WORKSPACE_LOW = (-1.0, -0.5, 0.0)  # [m]
WORKSPACE_HIGH = (1.0, 1.5, 1.0)  # [m]


class EePose:
    """Per arm: xyz [m] and quaternion wxyz of the TCP in the world, then the gripper opening (0 closed, 1 open).

    The joint command is the inverse kinematics solution nearest to the current command, limited to the speed of the
    servos. It is rounded to float32 like any action, so replaying the joint commands of an episode reproduces its
    states.
    """

    def __init__(self, scene: Scene, control_hz: float) -> None:
        self._robot = robot = scene.robot
        self._space = JointSpace(scene)
        self._kinematics = [Kinematics(robot, arm) for arm in robot.arms]
        self._max_steps = [arm.max_steps(control_hz) for arm in robot.arms]
        self._arms = len(robot.arms)
        self.action_names = tuple(f"{arm.name}_{name}" for arm in robot.arms for name in EE_POSE)
        self.low = np.tile([*WORKSPACE_LOW, -1, -1, -1, -1, 0], self._arms).astype(np.float32)
        self.high = np.tile([*WORKSPACE_HIGH, 1, 1, 1, 1, 1], self._arms).astype(np.float32)

    def joint_action(self, scene: Scene, action: Float32Array) -> Float32Array:
        wanted = action.reshape(self._arms, 8).astype(np.float64)
        if np.linalg.norm(wanted[:, 3:7], axis=1).min() < MIN_QUATERNION:
            raise InvalidActionError(
                f"An end-effector action has a quaternion near zero: {action.tolist()}. Expected per arm: xyz [m], "
                "quaternion wxyz of any length but zero, gripper opening.",
                got=action,
            )
        commanded = self._space.commanded().reshape(self._arms, -1)
        rows = [
            kinematics.inverse(command[:-1], Pose.at(row[:3], row[3:7]), max_step=max_step)
            for kinematics, command, row, max_step in zip(
                self._kinematics, commanded, wanted, self._max_steps, strict=True
            )
        ]
        return np.concatenate([np.stack(rows), wanted[:, 7:]], axis=1).ravel().astype(np.float32)

    def idle(self, scene: Scene, *, hold_gripper: bool = False) -> Float32Array:
        return self.from_joint_action(self._space.commanded().astype(np.float32))

    def from_joint_action(self, joint_action: Float32Array) -> Float32Array:
        """The end-effector action equivalent to a joint command, shape (8 * arms,) float32."""
        rows = joint_action.reshape(self._arms, -1).astype(np.float64)
        poses = [kinematics.forward(row[:-1]) for kinematics, row in zip(self._kinematics, rows, strict=True)]
        return pack_ee_action(self._robot.arms, poses, rows[:, -1])


def pack_ee_action(arms: Sequence[Arm], poses: Sequence[Pose], grippers: FloatArray) -> Float32Array:
    """TCP poses and gripper openings (arms,) as one action, shape (8 * arms,) float32.

    Of q and -q, which are the same orientation, it has the one on the side of the arm's base, so that the numbers of a
    motion are continuous while the TCP turns by less than 180 degrees from it.
    """
    rows = [
        (pose.position, np.copysign(1.0, pose.quaternion @ arm.base.quaternion) * pose.quaternion, [gripper])
        for arm, pose, gripper in zip(arms, poses, grippers, strict=True)
    ]
    return np.concatenate([part for row in rows for part in row]).astype(np.float32)
