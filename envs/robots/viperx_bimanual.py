"""Two ViperX 300 S arms on the ALOHA table. Sources of the numbers: assets/SOURCE.md."""

from ambidex.assets.paths import ARENAS, ROBOTS
from ambidex.envs.robot import Arm, Gripper, JointDynamics, Robot
from ambidex.envs.simulation.pose import Pose, quaternion_about

JOINTS = ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate")
RIGHT_YAW = 3.1416  # as in the ACT scene, instead of pi, so that poses agree to the last digit
ACT_DYNAMICS = {
    "waist": JointDynamics(friction=50.0, stiffness=800.0, max_force=150.0),
    "shoulder": JointDynamics(friction=60.0, stiffness=1600.0, max_force=300.0),
    "elbow": JointDynamics(friction=60.0, stiffness=800.0, max_force=100.0),
    "forearm_roll": JointDynamics(friction=30.0, stiffness=10.0, max_force=100.0),
    "wrist_angle": JointDynamics(friction=30.0, stiffness=50.0),
    "wrist_rotate": JointDynamics(friction=30.0, stiffness=20.0),
    "left_finger": JointDynamics(friction=30.0, stiffness=400.0),  # for both fingers, which are coupled here
    "right_finger": JointDynamics(friction=30.0, stiffness=0.0),
}
"""Those of the ACT simulation."""


def make_robot() -> Robot:
    """The bimanual ALOHA robot: 14 joint-action dimensions, left arm first."""
    return Robot(
        name="viperx_bimanual",
        mjcf=ROBOTS / "vx300s.xml",
        prefixes=("vx300s_left/", "vx300s_right/"),
        arms=(
            _arm("left", Pose.at((-0.469, 0.5, 0.0))),
            _arm("right", Pose.at((0.469, 0.5, 0.0), quaternion_about((0, 0, 1), RIGHT_YAW))),
        ),
        arena=ARENAS / "aloha_table.xml",
        camera_targets=(("front_close", "vx300s_left/camera_focus"),),
        dynamics={"act": ACT_DYNAMICS},
    )


def _arm(name: str, base: Pose) -> Arm:
    prefix = f"vx300s_{name}/"
    return Arm(
        name=name,
        joints=tuple(prefix + joint for joint in JOINTS),
        actuators=tuple(prefix + joint for joint in JOINTS),
        gripper=Gripper(
            joint=prefix + "left_finger",
            mirror_joint=prefix + "right_finger",
            actuator=prefix + "gripper",
            closed=0.01844,
            opened=0.05800,
            finger_geoms=(prefix + "10_left_gripper_finger", prefix + "10_right_gripper_finger"),
        ),
        tcp_site=prefix + "tcp",
        base=base,
        home=(0.0, -0.96, 1.16, 0.0, -0.3, 0.0),
        home_finger=0.02239,
        ik_seeds=((0.0, -0.3, 0.8, 0.0, 0.9, 0.0), (0.0, -0.3, 0.8, 0.0, -0.9, 0.0)),
        max_joint_speeds=(3.14,) * len(JOINTS),
    )
