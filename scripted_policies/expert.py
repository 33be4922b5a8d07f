"""What every expert is: one script per arm, run side by side, acting through the environment's controller."""

from abc import ABC, abstractmethod

import numpy as np

from ambidex.envs.controllers.ee_pose import pack_ee_action
from ambidex.envs.env import Environment
from ambidex.envs.simulation.kinematics import Kinematics
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import Float32Array, FloatArray, Observation
from ambidex.scripted_policies.arm_motion import ArmMotion, Motion, Pace

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


# FOLDED scripted_policies.tracking: Turns joint references into joint commands that the arms really follow.

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
