"""The end-effector actions that an episode's joint commands amount to."""

import numpy as np

from ambidex.envs.controllers.ee_pose import EePose
from ambidex.envs.env import Environment
from ambidex.envs.registry import FAMILIES
from ambidex.envs.types import Float32Array, RolloutResult


def ee_actions(env: Environment, result: RolloutResult) -> Float32Array:
    """What the agent sent under end-effector control, or the poses that its joint commands aim at, shape (T, E).

    Under joint control E is 0 in a family whose end-effector actions are steps: these have no counterpart of joint
    commands.
    """
    if result.spec.control == "ee":
        return result.actions
    if not FAMILIES[result.spec.family].ee_is_pose:
        return np.zeros((result.steps, 0), np.float32)
    to_ee = EePose(env.scene, result.spec.control_hz)
    return np.stack([to_ee.from_joint_action(action) for action in result.joint_actions])
