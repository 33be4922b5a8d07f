"""Which geoms belong to the robot."""

import mujoco
import numpy as np

from ambidex.envs.robot import Arm
from ambidex.scripted_policies.libero.meeting import Mask


def robot_geoms(model: mujoco.MjModel, arm: Arm) -> Mask:
    """Mask of the geoms of a robot and what it is mounted on, by one of its arms, shape (geoms,)."""
    root = model.body_rootid[model.jnt_bodyid[model.joint(arm.joints[0]).id]]
    return np.asarray(model.body_rootid[model.geom_bodyid] == root)
