"""Turns joint references into joint commands that the arms really follow."""

import numpy as np

from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import FloatArray

INTEGRAL_GAIN = 0.06  # share of the remaining error taken up per control step
MAX_CORRECTION = 0.04  # [rad]
MAX_LEAD = 0.4  # [rad]


class Tracking:
    """Follows joint references with feed-forward against gravity and lag, and an integral of the rest.

    The servos are springs: they sag under the arm's weight and trail behind a moving command. Both follow
    from the model, so the command leads by that much. Friction does not, so what remains while a reference
    stands still is integrated away. All vectors have one entry per arm joint, arm after arm.
    """

    def __init__(self, scene: Scene, control_hz: float) -> None:
        model, arms = scene.model, scene.robot.arms
        self._data = scene.data
        joints = [model.joint(name) for arm in arms for name in arm.joints]
        self._qpos = np.array([int(joint.qposadr[0]) for joint in joints])
        self._dofs = np.array([int(joint.dofadr[0]) for joint in joints])
        self._stiffness = np.array([model.actuator(name).gainprm[0] for arm in arms for name in arm.actuators])
        self._lag_s = model.dof_damping[self._dofs] / self._stiffness
        self._control_hz = control_hz
        self._home = np.concatenate([arm.home for arm in arms])
        self.reset()

    def reset(self) -> None:
        """Begin from the robot's home."""
        self._reference = self._home
        self._correction = np.zeros(len(self._home))

    def command(self, reference: FloatArray, steady: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> FloatArray:
        """The joint command for this step [rad].

        Args:
            reference: Where the joints should be [rad].
            steady: Joints whose reference stands still, and whose error may be integrated.
        """
        error = reference - self._data.qpos[self._qpos]
        self._correction += INTEGRAL_GAIN * np.where(steady, error, 0.0)
        np.clip(self._correction, -MAX_CORRECTION, MAX_CORRECTION, out=self._correction)
        velocity = (reference - self._reference) * self._control_hz
        self._reference = reference
        lead = self._data.qfrc_bias[self._dofs] / self._stiffness + self._lag_s * velocity
        return np.asarray(reference + self._correction + np.clip(lead, -MAX_LEAD, MAX_LEAD))
