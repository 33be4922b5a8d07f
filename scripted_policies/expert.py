"""What every expert is: one script per arm, run side by side, acting through the environment's controller."""

from abc import ABC, abstractmethod

import numpy as np

from ambidex.envs.controllers.ee_pose import pack_ee_action
from ambidex.envs.env import Environment
from ambidex.envs.simulation.kinematics import Kinematics
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.types import Float32Array, FloatArray, Observation
from ambidex.scripted_policies.arm_motion import ArmMotion, Motion, Pace
from ambidex.scripted_policies.tracking import Tracking

WAYPOINT_NOISE = 0.01  # standard deviation at noise 1 [m]
PACE_NOISE = 0.2  # standard deviation at noise 1, as a share


class Expert(ABC):
    """A scripted expert for a two-armed task.

    It may read everything in the world. It acts as a policy does: one float32 action per step in the
    environment's control mode. When the scripts have ended it holds its last pose.
    """

    def __init__(self, env: Environment, *, noise: float = 0.0) -> None:
        self.scene = env.scene
        self._spec = env.spec
        self._noise = noise
        self._tracking = Tracking(env.scene, env.spec.control_hz)
        robot = env.scene.robot
        self._kinematics = [Kinematics(robot, arm) for arm in robot.arms]

    @abstractmethod
    def left_script(self, arm: ArmMotion) -> Motion:
        """What the left arm does."""

    @abstractmethod
    def right_script(self, arm: ArmMotion) -> Motion:
        """What the right arm does."""

    def reset(self, observation: Observation, seed: int) -> None:
        self._rng = np.random.default_rng([seed, 1])
        self._tracking.reset()
        self.left, self.right = (
            ArmMotion(self.scene, arm, kinematics, self._spec.control_hz, self._pace())
            for arm, kinematics in zip(self.scene.robot.arms, self._kinematics, strict=True)
        )
        self._scripts = [self.left_script(self.left), self.right_script(self.right)]

    def act(self, observation: Observation) -> Float32Array:
        for script in self._scripts:
            next(script, None)
        arms = (self.left, self.right)
        steady = np.repeat([not arm.moving for arm in arms], [len(arm.joints) for arm in arms])
        command = self._tracking.command(np.concatenate([arm.joints for arm in arms]), steady)
        return self._action(command.reshape(len(arms), -1), np.array([arm.opening for arm in arms]))

    def jitter(self, pose: Pose) -> Pose:
        """The pose, moved a little if noise is asked for; drawn once per call."""
        return pose.shifted(self._noise * WAYPOINT_NOISE * self._rng.standard_normal(3))

    def _pace(self) -> Pace:
        factor = float(np.clip(1.0 + self._noise * PACE_NOISE * self._rng.standard_normal(), 0.8, 1.3))
        usual = Pace()
        return Pace(linear=usual.linear * factor, angular=usual.angular * factor, joint=usual.joint * factor)

    def _action(self, command: FloatArray, openings: FloatArray) -> Float32Array:
        if self._spec.control == "joint":
            return np.concatenate([command, openings[:, None]], axis=1).ravel().astype(np.float32)
        poses = [kinematics.forward(q) for kinematics, q in zip(self._kinematics, command, strict=True)]
        return pack_ee_action(poses, openings)
