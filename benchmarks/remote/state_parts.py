"""The parts of states that policies on servers are sent, from the simulation. Needs no extra."""

from collections.abc import Mapping

from ambidex.envs.env import Environment
from ambidex.envs.types import FloatArray, Observation
from ambidex.recorders.formats.libero.proprioception import current_proprioception


def state_parts(env: Environment, observation: Observation) -> Mapping[str, FloatArray]:
    """The parts of states that the robot of an environment has, in its current state; see `STATE_PARTS`."""
    qpos = observation.qpos
    parts = {"qpos": qpos, "objects": observation.objects}
    if len(env.scene.robot.arms) > 1:
        return parts
    robot = current_proprioception(env)
    return {
        **parts,
        "arm_qpos": qpos[:-1],
        "gripper_closed": 1 - qpos[-1:],
        "ee_pos": robot.ee_pos[0],
        "ee_axis_angle": robot.ee_ori[0],
        "gripper_qpos": robot.gripper_states[0],
    }
