"""Turns tool references into joint commands that the arms really follow."""

import numpy as np

from ambidex.envs.kinematics import Kinematics
from ambidex.envs.pose import Pose
from ambidex.envs.scene import Scene
from ambidex.envs.types import FloatArray

INTEGRAL_GAIN = 0.06  # share of the remaining error taken up per control step
MAX_CORRECTION = 0.015  # [m]
MAX_LEAD = 0.25  # [rad]


class Tracking:
    """Follows tool references with feed-forward against gravity and lag, and an integral on the tool's position.

    The servos are springs: they sag under the arm's weight and trail behind a moving command. Both are known
    from the model, so the command leads by that much; friction is not, so what remains is integrated away.
    """

    def __init__(self, scene: Scene, control_hz: float) -> None:
        model, robot = scene.model, scene.robot
        self._scene = scene
        self._kinematics = Kinematics(robot)
        self._dt = 1.0 / control_hz
        joints = [name for arm in robot.arms for name in arm.joints]
        actuators = [name for arm in robot.arms for name in arm.actuators]
        self._dofs = np.array([int(model.joint(name).dofadr[0]) for name in joints])
        stiffness = np.array([model.actuator(name).gainprm[0] for name in actuators])
        shape = (len(robot.arms), -1)
        self._stiffness = stiffness.reshape(shape)
        self._lag_s = (model.dof_damping[self._dofs] / stiffness).reshape(shape)
        self._max_step = np.array([[arm.max_joint_speed * self._dt] for arm in robot.arms])
        self.reset()

    def reset(self) -> None:
        """Begin from the robot's home."""
        self._q = np.array([arm.home for arm in self._scene.robot.arms])
        self._correction = np.zeros((len(self._q), 3))

    def command(self, references: list[Pose], tools: list[Pose], steady: list[bool]) -> FloatArray:
        """The joint command for this step, shape (arms, joints) [rad].

        Args:
            references: Where each tool should be.
            tools: Where each tool is.
            steady: Arms whose reference stands still, and whose position error may be integrated.
        """
        for i, (reference, tool, still) in enumerate(zip(references, tools, steady, strict=True)):
            if still:
                self._correction[i] += INTEGRAL_GAIN * (reference.position - tool.position)
        np.clip(self._correction, -MAX_CORRECTION, MAX_CORRECTION, out=self._correction)
        targets = [r.shifted(c) for r, c in zip(references, self._correction, strict=True)]
        q = self._kinematics.inverse(self._q, targets, float(self._max_step.min()))
        velocity = (q - self._q) / self._dt
        self._q = q
        lead = self._weight() / self._stiffness + self._lag_s * velocity
        return q + np.clip(lead, -MAX_LEAD, MAX_LEAD)

    def _weight(self) -> FloatArray:
        return self._gravity_forces()[self._dofs].reshape(self._stiffness.shape)

    def _gravity_forces(self) -> FloatArray:
        return np.asarray(self._scene.data.qfrc_bias)


