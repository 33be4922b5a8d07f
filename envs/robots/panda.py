"""Franka Emika Panda with its hand, placed as in LIBERO. Sources of the numbers: assets/SOURCE.md."""

import math

from ambidex.assets.paths import ROBOTS
from ambidex.envs.controllers.osc import OscMemory, OscSettings
from ambidex.envs.robot import Arm, Gripper, Physics, Robot
from ambidex.envs.simulation.pose import Pose

PREFIX = "robot0_"
JOINTS = tuple(f"{PREFIX}joint{i}" for i in range(1, 8))
HOME = (0.0, -0.161037389, 0.0, -2.44459747, 0.0, 2.2267522, math.pi / 4)
TABLETOP_BASE = Pose.at((-0.66, 0.0, 0.912))
MOUNTED, GROUND = "mounted", "ground"
MOUNTS = {MOUNTED: ROBOTS / "panda_pedestal.xml", GROUND: None}
PHYSICS = Physics(timestep=0.0025, falling_timestep=0.000625)
"""Physics options of any model with a Panda in it."""


def make_robot() -> Robot:
    """The Panda on its pedestal behind a table."""
    return make_panda(TABLETOP_BASE, MOUNTED)


def make_panda(base: Pose, mount: str) -> Robot:
    """One Panda: 8 joint-action dimensions.

    Args:
        base: Pose of the arm's base in the world.
        mount: "mounted", on a pedestal that reaches 0.912 m below the base, or "ground".
    """
    return Robot(
        name="panda",
        mjcf=ROBOTS / "panda.xml",
        prefixes=(PREFIX,),
        arms=(_arm(base),),
        mount=MOUNTS[mount],
        interpolates_commands=True,
        userdata_size=OscMemory.SIZE,
    )


def _arm(base: Pose) -> Arm:
    return Arm(
        name="robot0",
        joints=JOINTS,
        actuators=JOINTS,
        gripper=Gripper(
            joint=PREFIX + "finger_joint1",
            mirror_joint=PREFIX + "finger_joint2",
            actuator=PREFIX + "finger_joint1",
            mirror_actuator=PREFIX + "finger_joint2",
            closed=0.0,
            opened=0.04,
            finger_geoms=(PREFIX + "finger1_pad_collision", PREFIX + "finger2_pad_collision"),
        ),
        tcp_site=PREFIX + "grip_site",
        base=base,
        home=HOME,
        home_finger=0.0208,
        ik_seeds=((0.0, 0.6, 0.0, -1.6, 0.0, 2.2, HOME[6]), (0.0, 0.6, 0.0, -2.2, 0.0, 2.8, HOME[6] - math.pi / 2)),
        max_joint_speeds=OscSettings.speed_limits,
    )
