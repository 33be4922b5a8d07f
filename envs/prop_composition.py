"""Composes the world of a task whose things are props: arena, arms, then the props."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import mujoco

from ambidex.envs.robot import Robot

if TYPE_CHECKING:
    from ambidex.envs.task import Prop

PROP_PREFIX = "prop/"


def compose(robot: Robot, name: str, props: "Sequence[Prop]") -> mujoco.MjSpec:
    """Arena, then one arm after the other, then the props: this is also the order of qpos."""
    spec = mujoco.MjSpec.from_file(str(robot.arena))
    spec.modelname = name
    for arm, prefix in zip(robot.arms, robot.prefixes, strict=True):
        frame = spec.worldbody.add_frame(pos=arm.base.position, quat=arm.base.quaternion)
        spec.attach(mujoco.MjSpec.from_file(str(robot.mjcf)), frame=frame, prefix=prefix)
    for prop in props:
        spec.attach(mujoco.MjSpec.from_file(str(prop.mjcf)), frame=spec.worldbody.add_frame(), prefix=PROP_PREFIX)
    for camera, body in robot.camera_targets:
        spec.camera(camera).mode = mujoco.mjtCamLight.mjCAMLIGHT_TARGETBODY
        spec.camera(camera).targetbody = body
    for arm, prefix in zip(robot.arms, robot.prefixes, strict=True):
        spec.camera(f"{prefix}wrist").name = f"{arm.name}_wrist"
    for element in (*spec.bodies, *spec.joints, *spec.geoms):
        element.name = element.name.removeprefix(PROP_PREFIX)
    return spec
