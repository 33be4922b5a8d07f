"""A complete robot: two arms made of capsules on the ALOHA table. Copy it to envs/robots/capsule_arms.py."""

import math

from ambidex.assets.paths import ARENAS, ROBOTS
from ambidex.envs.robot import Arm, Gripper, Robot
from ambidex.envs.simulation.pose import Pose, quaternion_about

JOINTS = ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate")
MJCF = ROBOTS / "capsule_arm.xml"


def make_robot() -> Robot:
    """Two arms that face each other: 14 joint-action dimensions, left arm first."""
    return Robot(
        name="capsule_arms",
        mjcf=MJCF,
        prefixes=("left/", "right/"),
        arms=(
            _arm("left", Pose.at((-0.45, 0.5, 0.0))),
            _arm("right", Pose.at((0.45, 0.5, 0.0), quaternion_about((0, 0, 1), math.pi))),
        ),
        arena=ARENAS / "aloha_table.xml",
    )


def _arm(name: str, base: Pose) -> Arm:
    prefix = f"{name}/"
    return Arm(
        name=name,
        joints=tuple(prefix + joint for joint in JOINTS),
        actuators=tuple(prefix + joint for joint in JOINTS),
        gripper=Gripper(
            joint=prefix + "finger_1",
            mirror_joint=prefix + "finger_2",
            actuator=prefix + "gripper",
            closed=0.0,
            opened=0.04,
            finger_geoms=(prefix + "pad_1", prefix + "pad_2"),
        ),
        tcp_site=prefix + "tcp",
        base=base,
        home=(0.0, -0.6, 0.9, 0.0, 0.3, 0.0),
        home_finger=0.01,
        ik_seeds=((0.0, -0.3, 1.0, 0.0, 0.9, 0.0), (0.0, 0.2, 0.8, 0.0, 0.6, 0.0)),
        max_joint_speeds=(3.0,) * len(JOINTS),
    )
