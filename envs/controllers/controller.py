"""What turns an agent's action into a joint command."""

from typing import Protocol

import numpy as np

from ambidex.envs.simulation.joint_space import JointSpace
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import Float32Array


class Controller(Protocol):
    """A control mode over a scene. A command depends on the scene's state and the action alone.

    What a controller must remember it keeps in `scene.data.userdata`, which is part of the state.

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
        """The action, shape (A,) float32, that lets the arm rest where it is commanded to be.

        Args:
            scene: The world.
            hold_gripper: The gripper rests too; otherwise it does what is usual in this control mode.
        """
        ...


# FOLDED envs.controllers.joint_position: Joint position control: the action is the joint command.


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
