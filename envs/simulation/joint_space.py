"""The robot's joint vector as agents see it: hinge angles [rad] and gripper openings (0 closed, 1 open)."""

import numpy as np

from ambidex.envs.robot import Robot
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import Float32Array, FloatArray


class JointSpace:
    """Reads and commands all joints of a robot in a scene as one vector of shape (J,), arm after arm.

    Attributes:
        low: Lowest joint command, shape (J,) float32.
        high: Highest joint command, shape (J,) float32.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene, self._data = scene, scene.data
        model, robot = scene.model, scene.robot
        joints = [name for arm in robot.arms for name in (*arm.joints, arm.gripper.joint)]
        actuators = [name for arm in robot.arms for name in (*arm.actuators, arm.gripper.actuator)]
        self._qpos = np.array([int(model.joint(name).qposadr[0]) for name in joints])
        self._qvel = np.array([int(model.joint(name).dofadr[0]) for name in joints])
        self._ctrl = np.array([model.actuator(name).id for name in actuators])
        mirrors = [(i, model.actuator(name).id) for i, name in enumerate(_mirrors(robot)) if name]
        self._driven = np.array([i for i, _ in mirrors], dtype=int)
        self._all_ctrl = np.array([*self._ctrl, *(actuator for _, actuator in mirrors)])
        self._interpolates = robot.interpolates_commands
        self._offset, self._scale = _normalisation(robot)
        limits = model.actuator_ctrlrange[self._ctrl]
        self._ctrl_low, self._ctrl_high = limits[:, 0].copy(), limits[:, 1].copy()
        self.low: Float32Array = self._normalised(self._ctrl_low).astype(np.float32)
        self.high: Float32Array = self._normalised(self._ctrl_high).astype(np.float32)
        gripper = self._scale != 1.0
        self.low[gripper], self.high[gripper] = 0.0, 1.0

    def positions(self) -> FloatArray:
        """Joint positions, shape (J,)."""
        return self._normalised(self._data.qpos[self._qpos])

    def velocities(self) -> FloatArray:
        """Joint velocities, shape (J,)."""
        return np.asarray(self._data.qvel[self._qvel] / self._scale)

    def commanded(self) -> FloatArray:
        """The current joint command, shape (J,)."""
        return self._normalised(self._data.ctrl[self._ctrl])

    def command(self, joint_action: Float32Array) -> None:
        """Set the joint command; values outside the actuators' ranges are clamped."""
        self._data.ctrl[self._all_ctrl] = self._controls(joint_action)

    def act(self, joint_action: Float32Array, substeps: int) -> None:
        """Step the physics under a joint command, which is applied at once or interpolated, depending on the robot.

        Raises:
            SimulationError: The simulation has become unstable.
        """
        if self._interpolates:
            start, end = self._data.ctrl[self._all_ctrl], self._controls(joint_action)
            fraction = np.arange(1, substeps + 1)[:, None] / substeps
            self._scene.follow(self._all_ctrl, (1.0 - fraction) * start + fraction * end)
        else:
            self.command(joint_action)
            self._scene.advance(substeps)

    def _controls(self, joint_action: Float32Array) -> FloatArray:
        wanted = joint_action.astype(np.float64) * self._scale + self._offset
        clamped = wanted.clip(self._ctrl_low, self._ctrl_high)
        return np.concatenate([clamped, -clamped[self._driven]])

    def _normalised(self, raw: FloatArray) -> FloatArray:
        return np.asarray((raw - self._offset) / self._scale)


def _normalisation(robot: Robot) -> tuple[FloatArray, FloatArray]:
    offset, scale = [], []
    for arm in robot.arms:
        offset += [0.0] * len(arm.joints) + [arm.gripper.closed]
        scale += [1.0] * len(arm.joints) + [arm.gripper.opened - arm.gripper.closed]
    return np.array(offset), np.array(scale)


def _mirrors(robot: Robot) -> list[str]:
    """The second finger's actuator for each dimension of the joint vector, "" for none."""
    return [name for arm in robot.arms for name in (*len(arm.joints) * [""], arm.gripper.mirror_actuator)]
