"""Puts a robot into a world that is being composed."""

import mujoco

from ambidex.envs.robot import Robot

MOUNT_PREFIX = "mount"


def attach_robot(spec: mujoco.MjSpec, robot: Robot) -> None:
    """Attach every arm at its base with its prefix, and what it stands on; reserve the controllers' memory.

    Mounts are prefixed "mount0_", "mount1_" and so on, in the order of the arms.
    """
    for index, prefix in enumerate(robot.prefixes):
        if robot.mount is not None:
            _attach(spec, str(robot.mount), robot, index, f"{MOUNT_PREFIX}{index}_")
        _attach(spec, str(robot.mjcf), robot, index, prefix)
    spec.nuserdata = max(spec.nuserdata, robot.memory)


def _attach(spec: mujoco.MjSpec, mjcf: str, robot: Robot, index: int, prefix: str) -> None:
    base = robot.arms[index].base
    frame = spec.worldbody.add_frame(pos=base.position, quat=base.quaternion)
    spec.attach(mujoco.MjSpec.from_file(mjcf), frame=frame, prefix=prefix)
