"""The interface of controllers, and joint position control."""

from typing import Protocol

import numpy as np

from ambidex.envs.simulation.joint_space import JointSpace
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import Float32Array


class Controller(Protocol):
    """A control mode of a scene. The joint command depends on the scene's state and the action only.

    A controller keeps its own state in `scene.data.userdata`, which is part of the scene's state.

    Attributes:
        action_names: One name per action dimension.
        low: Lowest useful action, shape (A,) float32.
        high: Highest useful action, shape (A,) float32.
    """

    action_names: tuple[str, ...]
    low: Float32Array
    high: Float32Array

    def joint_action(self, scene: Scene, action: Float32Array) -> Float32Array:
        """The joint command, shape (J,) float32, for an action of shape (A,) float32."""
        ...

    def idle(self, scene: Scene, *, hold_gripper: bool = False) -> Float32Array:
        """The no-op action, shape (A,) float32: the arm stays at its current command.

        Args:
            scene: The scene to act in.
            hold_gripper: The gripper does not move either; otherwise it does what is usual in this control mode.
        """
        ...


class JointPosition:
    """The action is the joint command. Per arm: joint angles [rad] and the gripper opening (0 closed, 1 open)."""

    def __init__(self, scene: Scene, control_hz: float) -> None:
        self._space = JointSpace(scene)
        self.action_names = scene.robot.joint_names
        self.low, self.high = self._space.low, self._space.high

    def joint_action(self, scene: Scene, action: Float32Array) -> Float32Array:
        return action

    def idle(self, scene: Scene, *, hold_gripper: bool = False) -> Float32Array:
        return self._space.commanded().astype(np.float32)
