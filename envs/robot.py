"""Description of a robot: names and limits of its parts, and physics options of its model. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import mujoco
import numpy as np

from ambidex.envs.simulation.pose import Pose
from ambidex.envs.types import FloatArray
from ambidex.errors import UsageError, check_name

IDENTIFIED = "identified"

USED_SPEED = 0.99  # of the speed limits: joints overshoot their commands a little


@dataclass(frozen=True, kw_only=True)
class Gripper:
    """A parallel gripper of two fingers, moved by one actuator or by one each.

    Attributes:
        joint: The driven finger joint; its position is observed.
        mirror_joint: The other finger, at the negative position.
        actuator: Position actuator of the driven joint.
        mirror_actuator: That of the other finger, at the negative command; "" if an equality couples the fingers.
        closed: Joint position [m] that reads 0.
        opened: Joint position [m] that reads 1.
        finger_geoms: Contact geom of each finger.
    """

    joint: str
    mirror_joint: str
    actuator: str
    mirror_actuator: str = ""
    closed: float
    opened: float
    finger_geoms: tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One arm of a robot.

    Attributes:
        name: Such as "left"; also the prefix of action names.
        joints: Hinge joints from base to tool.
        actuators: Their position actuators, in the same order.
        gripper: The gripper at its end.
        tcp_site: Tool centre point: between the finger pads, y along the closing direction.
        base: Pose of the base in the world.
        home: Joint positions [rad] at reset.
        home_finger: Position [m] of the driven finger at reset.
        ik_seeds: More joint positions [rad] to start inverse kinematics from.
        max_joint_speeds: Speed limit of each joint, from the data sheet [rad/s].
    """

    name: str
    joints: tuple[str, ...]
    actuators: tuple[str, ...]
    gripper: Gripper
    tcp_site: str
    base: Pose
    home: tuple[float, ...]
    home_finger: float
    ik_seeds: tuple[tuple[float, ...], ...]
    max_joint_speeds: tuple[float, ...]

    def max_steps(self, control_hz: float) -> FloatArray:
        """The largest change of each joint's command per control step [rad], shape (joints,)."""
        return USED_SPEED / control_hz * np.array(self.max_joint_speeds)


@dataclass(frozen=True, kw_only=True)
class JointDynamics:
    """Friction of a joint and gain of its position actuator, without damping and armature.

    Attributes:
        friction: Friction loss [N m], of a finger [N].
        stiffness: Of the actuator [N m/rad], of a gripper [N/m]; 0 for a joint without one.
        max_force: Limit of the actuator [N m]; None for none.
    """

    friction: float
    stiffness: float
    max_force: float | None = None

    def apply(self, spec: mujoco.MjSpec, name: str) -> None:
        """Replace those of a joint in a model."""
        joint = spec.joint(name)
        joint.frictionloss, joint.damping, joint.armature = self.friction, [0.0] * 3, 0.0
        joint.actfrclimited = mujoco.mjtLimited.mjLIMITED_FALSE
        for actuator in (each for each in spec.actuators if each.target == name):
            actuator.gainprm[0], actuator.biasprm[1], actuator.biasprm[2] = self.stiffness, -self.stiffness, 0.0
            actuator.forcelimited = self.max_force is not None
            actuator.forcerange = [-(self.max_force or 0.0), self.max_force or 0.0]


@dataclass(frozen=True, kw_only=True)
class Robot:
    """A set of arms made from one MJCF file, attached once per arm.

    Attributes:
        name: Registered name.
        mjcf: Path of the one-arm MJCF.
        prefixes: Name prefix of each arm in the composed model.
        arms: The arms, in action order.
        arena: Path of the robot's arena MJCF; None if the task brings its own.
        camera_targets: Arena camera -> body that it tracks.
        mount: Path of the MJCF below each base, with its origin at the base; None for nothing.
        interpolates_commands: During a control step, commands move linearly from the last one to the new one, instead
            of jumping at the start of the step.
        userdata_size: Numbers that controllers store in MuJoCo's user data, which is part of the state.
        dynamics: Other dynamics than those of the MJCF, by name: joint of an arm, without prefix -> its dynamics.
    """

    name: str
    mjcf: Path
    prefixes: tuple[str, ...]
    arms: tuple[Arm, ...]
    arena: Path | None = None
    camera_targets: tuple[tuple[str, str], ...] = ()
    mount: Path | None = None
    interpolates_commands: bool = False
    userdata_size: int = 0
    dynamics: Mapping[str, Mapping[str, JointDynamics]] = field(default_factory=dict)

    def set_dynamics(self, spec: mujoco.MjSpec, name: str) -> None:
        """Give the joints of a composed model the dynamics of that name; `IDENTIFIED` are those of the MJCF.

        Raises:
            UnknownNameError: The robot has no such dynamics.
        """
        known = {IDENTIFIED: {}, **self.dynamics}
        check_name(f"dynamics of {self.name}", name, known)
        for prefix in self.prefixes:
            for joint, dynamics in known[name].items():
                dynamics.apply(spec, prefix + joint)

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Names of the joint action's dimensions: per arm its joints and "gripper"."""
        return tuple(
            f"{arm.name}_{name}"
            for arm, prefix in zip(self.arms, self.prefixes, strict=True)
            for name in [*(joint.removeprefix(prefix) for joint in arm.joints), "gripper"]
        )


FALLING_TIMESTEP = "falling_timestep"
"""Custom numeric field of a model: `Physics.falling_timestep`, read by `simulation.stepper`."""


@dataclass(frozen=True, kw_only=True)
class Physics:
    """Solver options of a composed model.

    Attributes:
        timestep: Physics step [s]; the control period is a multiple of it.
        falling_timestep: Physics step while an object falls [s], a fraction of the other; None for no difference.
        integrator: How velocities are integrated.
        cone: Friction cone.
        impratio: Stiffness of friction relative to that of normal forces; with more, held objects slip less.
        iterations: Maximum number of solver iterations a step.
        tolerance: Improvement at which the solver stops.
    """

    timestep: float
    falling_timestep: float | None = None
    integrator: mujoco.mjtIntegrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    cone: mujoco.mjtCone = mujoco.mjtCone.mjCONE_ELLIPTIC
    impratio: float = 10.0
    iterations: int = 20
    tolerance: float = 1e-8

    def __post_init__(self) -> None:
        parts = self.timestep / (self.falling_timestep or self.timestep)
        if abs(parts - round(parts)) > 1e-9 or parts < 1:
            problem = (
                f"falling_timestep {self.falling_timestep}: expected a whole part of the timestep {self.timestep}."
            )
            raise UsageError(problem, "Halve or quarter it.", field="falling_timestep", got=self.falling_timestep)

    def apply(self, spec: mujoco.MjSpec) -> None:
        """Set the options of a model, and disable MuJoCo's automatic reset of an unstable simulation."""
        option = spec.option
        option.timestep, option.integrator = self.timestep, self.integrator
        option.cone, option.impratio = self.cone, self.impratio
        option.iterations, option.tolerance = self.iterations, self.tolerance
        option.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET.value
        if self.falling_timestep is not None:
            spec.add_numeric(name=FALLING_TIMESTEP, data=[self.falling_timestep], size=1)
