"""Joint position control: the action is the joint command."""

import numpy as np

from ambidex.envs.joint_space import JointSpace
from ambidex.envs.scene import Scene
from ambidex.envs.types import Float32Array


class JointPosition:
    """Per arm: joint angles [rad] and the gripper opening (0 closed, 1 open)."""

    def __init__(self, scene: Scene, control_hz: float) -> None:
        self._space = JointSpace(scene)
        self.action_names = scene.robot.joint_names
        self.low, self.high = self._space.low, self._space.high

    def joint_action(self, scene: Scene, action: Float32Array) -> Float32Array:
        return action

    def idle(self, scene: Scene, *, hold_gripper: bool = False) -> Float32Array:
        return self._space.commanded().astype(np.float32)
