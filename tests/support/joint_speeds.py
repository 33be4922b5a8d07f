"""The speeds at which the joints of an episode are commanded to move, and those that their servos can follow."""

import math

import numpy as np

from ambidex.envs.types import FloatArray, RolloutResult

SPEED_LIMITS = {  # data sheets [rad/s]
    "viperx_bimanual": np.full(12, math.pi),
    "panda": np.array([2.175, 2.175, 2.175, 2.175, 2.61, 2.61, 2.61]),
}


def fastest_commands(result: RolloutResult) -> FloatArray:
    """The largest commanded speed of each joint in an episode, without grippers, shape (joints,) [rad/s]."""
    hinges = [i for i, name in enumerate(result.spec.joint_names) if not name.endswith("_gripper")]
    commands = np.concatenate([result.qpos[:1], result.joint_actions])[:, hinges].astype(np.float64)
    return np.asarray(np.abs(np.diff(commands, axis=0)).max(axis=0) * result.spec.control_hz)
