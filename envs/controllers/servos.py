"""An arm's position servos: what they do with a command, and which command does what."""

import mujoco
import numpy as np

from ambidex.envs.robot import Arm
from ambidex.envs.types import FloatArray


class Servos:
    """The position actuators of one arm. Their torque is stiffness * (command - q) - damping * velocity.

    Attributes:
        stiffness: Shape (joints,) [N m/rad].
        damping: Of actuators and joints together, shape (joints,) [N m s/rad].
    """

    def __init__(self, model: mujoco.MjModel, arm: Arm) -> None:
        actuators = [model.actuator(name).id for name in arm.actuators]
        dofs = [int(model.joint(name).dofadr[0]) for name in arm.joints]
        self.stiffness: FloatArray = model.actuator_gainprm[actuators, 0].copy()
        self.damping: FloatArray = model.dof_damping[dofs] - model.actuator_biasprm[actuators, 2]

    def command_of_motion(self, q: FloatArray, velocity: FloatArray) -> FloatArray:
        """The command under which a steady motion is at `q`: the servos trail it by the rest."""
        return np.asarray(q + self.damping / self.stiffness * velocity)

    def command_of_torque(self, q: FloatArray, torque: FloatArray) -> FloatArray:
        """The command under which an arm that stands at `q` is driven with `torque` (joints,) [N m]."""
        return np.asarray(q + torque / self.stiffness)

    def torque(self, command: FloatArray, q: FloatArray, velocity: FloatArray) -> FloatArray:
        """What drives the joints, limits aside, shape (joints,) [N m]."""
        return np.asarray(self.stiffness * (command - q) - self.damping * velocity)
