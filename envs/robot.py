"""A robot as values: the names and limits of its parts in one MJCF. No state."""

from dataclasses import dataclass
from pathlib import Path

from ambidex.envs.pose import Pose


@dataclass(frozen=True, kw_only=True)
class Gripper:
    """A parallel gripper driven by one finger joint.

    Attributes:
        joint: The driven finger joint; its position is what is observed.
        mirror_joint: The finger coupled to it by an equality constraint, at the negative position.
        actuator: Position actuator of the driven joint.
        closed: Joint position [m] that reads 0.
        opened: Joint position [m] that reads 1.
        finger_geoms: Contact geom of each finger.
    """

    joint: str
    mirror_joint: str
    actuator: str
    closed: float
    opened: float
    finger_geoms: tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One arm of a robot.

    Attributes:
        name: "left" or "right"; also the prefix of action names.
        joints: Hinge joints from base to tool.
        actuators: Their position actuators, in the same order.
        gripper: The gripper at its end.
        tcp_site: Tool centre point: between the finger pads, x forward, y along the closing direction.
        base: Pose of the base in the world.
        home: Joint positions [rad] at reset.
        home_finger: Position [m] of the driven finger at reset.
        postures: Other joint positions [rad] from which inverse kinematics may start.
        max_joint_speed: What the real servos follow [rad/s].
    """

    name: str
    joints: tuple[str, ...]
    actuators: tuple[str, ...]
    gripper: Gripper
    tcp_site: str
    base: Pose
    home: tuple[float, ...]
    home_finger: float
    postures: tuple[tuple[float, ...], ...]
    max_joint_speed: float


@dataclass(frozen=True, kw_only=True)
class Robot:
    """A set of arms made from one MJCF file, attached once per arm.

    Attributes:
        name: Registered name.
        mjcf: Path of the one-arm MJCF.
        prefixes: Name prefix of each arm in the composed model.
        arms: The arms, in action order.
        arena: Path of the arena MJCF the robot stands in.
        camera_targets: Arena camera -> body it keeps in view.
    """

    name: str
    mjcf: Path
    prefixes: tuple[str, ...]
    arms: tuple[Arm, ...]
    arena: Path
    camera_targets: tuple[tuple[str, str], ...] = ()

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Names of the joint action's dimensions: per arm its joints and "gripper"."""
        return tuple(
            f"{arm.name}_{name}"
            for arm in self.arms
            for name in [*(j.rpartition("/")[2] for j in arm.joints), "gripper"]
        )
