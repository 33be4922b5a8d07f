"""Base class of the experts for two-armed tasks: one script per arm, both advanced by one control step at a time.

A new expert is a subclass with two scripts, and a line in `EXPERTS` of `registry`. For example, for a task in which the
right arm has to lift a cube:

    import math

    from ambidex.envs.simulation.pose import Pose
    from ambidex.scripted_policies.arm_motion import ArmMotion, Motion, grasp_heading, tool_orientation
    from ambidex.scripted_policies.bimanual_expert import BimanualExpert

    class LiftCubeExpert(BimanualExpert):
        def left_script(self, arm: ArmMotion) -> Motion:
            return iter(())  # stays at its home posture

        def right_script(self, arm: ArmMotion) -> Motion:
            cube = self.scene.body_pose("cube")
            heading = grasp_heading(cube, preferred=math.pi, symmetry=math.pi / 2)
            grasp = Pose(cube.position, tool_orientation(heading, pitch=math.pi / 2)).shifted((0, 0, 0.006))
            yield from arm.move_joints(self.jitter(grasp).shifted((0, 0, 0.08)), opening=1.0)
            yield from arm.move_joints(grasp)
            yield from arm.grasp("cube")
            yield from arm.move_joints(arm.reference_pose.shifted((0, 0, 0.1)))

A script reads poses from `self.scene` when it needs them, so that it reacts to what has happened. Arms wait for each
other by `arm.wait_until` on an attribute that the other script sets; `transfer_cube` shows this and retries of a grasp,
`insertion` how a tool follows a moving goal. Reset such attributes in `reset`, before `super().reset(...)`.
"""

from abc import ABC, abstractmethod

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.envs.controllers.ee_delta import Servos
from ambidex.envs.controllers.ee_pose import pack_ee_action
from ambidex.envs.env import Environment
from ambidex.envs.simulation.kinematics import Kinematics
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import Float32Array, FloatArray, Observation
from ambidex.scripted_policies.arm_motion import ArmMotion, ArmSpeeds, Motion

WAYPOINT_NOISE = 0.01  # standard deviation at noise 1 [m]
SPEED_NOISE = 0.2  # standard deviation of the speed factor at noise 1
INTEGRAL_GAIN = 0.06  # share of the remaining error that is corrected per control step
MAX_CORRECTION = 0.04  # [rad]
MAX_LEAD = 0.4  # [rad]


class BimanualExpert(ABC):
    """A scripted expert for a two-armed task.

    It may read the whole scene. It acts as a policy does: one float32 action per step in the environment's control
    mode. After the end of its scripts it holds the last pose. For the noise see `registry.make_expert`.

    Attributes:
        scene: The scene of the environment.
        left: Motions of the left arm, new in every episode.
        right: Motions of the right arm, new in every episode.
    """

    def __init__(self, env: Environment, *, noise: float = 0.0) -> None:
        self.scene = env.scene
        self._spec = env.spec
        self._noise = noise
        self._tracker = JointTracker(env.scene, env.spec.control_hz)
        robot = env.scene.robot
        self._kinematics = [Kinematics(robot, arm) for arm in robot.arms]

    @abstractmethod
    def left_script(self, arm: ArmMotion) -> Motion:
        """Motion of the left arm over one episode."""

    @abstractmethod
    def right_script(self, arm: ArmMotion) -> Motion:
        """Motion of the right arm over one episode."""

    def reset(self, observation: Observation, seed: int) -> None:
        self._rng = np.random.default_rng([seed, 1])
        self._tracker.reset()
        self.left, self.right = (
            ArmMotion(self.scene, arm, kinematics, self._spec.control_hz, self._noisy_speeds())
            for arm, kinematics in zip(self.scene.robot.arms, self._kinematics, strict=True)
        )
        self._scripts = [self.left_script(self.left), self.right_script(self.right)]

    def act(self, observation: Observation) -> Float32Array:
        for script in self._scripts:
            next(script, None)
        arms = (self.left, self.right)
        steady = np.repeat([not (arm.moving or arm.pressing) for arm in arms], [len(arm.joints) for arm in arms])
        command = self._tracker.command(np.concatenate([arm.joints for arm in arms]), steady)
        return self._action(command.reshape(len(arms), -1), np.array([arm.opening for arm in arms]))

    def jitter(self, pose: Pose) -> Pose:
        """The pose with waypoint noise, newly drawn at each call; unchanged at noise 0."""
        return pose.shifted(self._noise * WAYPOINT_NOISE * self._rng.standard_normal(3))

    def _noisy_speeds(self) -> ArmSpeeds:
        factor = float(np.clip(1.0 + self._noise * SPEED_NOISE * self._rng.standard_normal(), 0.8, 1.3))
        usual = ArmSpeeds()
        return ArmSpeeds(linear=usual.linear * factor, angular=usual.angular * factor, joint=usual.joint * factor)

    def _action(self, command: FloatArray, openings: FloatArray) -> Float32Array:
        if self._spec.control == "joint":
            return np.concatenate([command, openings[:, None]], axis=1).ravel().astype(np.float32)
        poses = [kinematics.forward(q) for kinematics, q in zip(self._kinematics, command, strict=True)]
        return pack_ee_action(self.scene.robot.arms, poses, openings)


class JointTracker:
    """Turns joint references into joint commands that the arms follow closely, within the joints' speed limits.

    The servos act like springs: they sag under the arm's weight, and damping and friction let them lag behind a moving
    command. That follows from the model, so the command leads by as much (feed-forward). An integral removes the error
    that remains while a reference is constant. All vectors have one entry per arm joint, arm after arm.
    """

    def __init__(self, scene: Scene, control_hz: float) -> None:
        model, arms = scene.model, scene.robot.arms
        self._data = scene.data
        joints = [model.joint(name) for arm in arms for name in arm.joints]
        self._qpos = np.array([int(joint.qposadr[0]) for joint in joints])
        self._dofs = np.array([int(joint.dofadr[0]) for joint in joints])
        servos = [Servos(model, arm) for arm in arms]
        self._stiffness = np.concatenate([each.stiffness for each in servos])
        self._damping = np.concatenate([each.damping for each in servos])
        self._friction = model.dof_frictionloss[self._dofs]
        self._creep = _creep_damping(model)[self._dofs]
        self._control_hz = control_hz
        self._max_steps = np.concatenate([arm.max_steps(control_hz) for arm in arms])
        self._home = np.concatenate([arm.home for arm in arms])
        self.reset()

    def reset(self) -> None:
        """Start an episode, at the robot's home posture."""
        self._reference = self._command = self._home
        self._correction = np.zeros(len(self._home))

    def command(self, reference: FloatArray, steady: npt.NDArray[np.bool_]) -> FloatArray:
        """The joint command for this step [rad], for joint positions to reach [rad].

        The error of the joints that are `steady`, whose reference is constant, is integrated.
        """
        error = reference - self._data.qpos[self._qpos]
        self._correction += INTEGRAL_GAIN * np.where(steady, error, 0.0)
        self._correction = self._correction.clip(-MAX_CORRECTION, MAX_CORRECTION)
        velocity = (reference - self._reference) * self._control_hz
        self._reference = reference
        friction = (self._creep * velocity).clip(-self._friction, self._friction)
        lead = (self._data.qfrc_bias[self._dofs] + self._damping * velocity + friction) / self._stiffness
        wanted = reference + self._correction + lead.clip(-MAX_LEAD, MAX_LEAD)
        self._command = self._command + (wanted - self._command).clip(-self._max_steps, self._max_steps)
        return self._command


def _creep_damping(model: mujoco.MjModel) -> FloatArray:
    """Friction per speed before the friction loss is reached, shape (nv,) [N m s/rad]: the constraint is soft."""
    time_constant, (low, high) = model.dof_solref[:, 0], model.dof_solimp[:, :2].T
    return np.asarray(2.0 / (high * time_constant) * low / (1.0 - low) / model.dof_invweight0)
