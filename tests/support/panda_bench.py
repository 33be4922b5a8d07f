"""A Panda behind an empty table, for tests of the robot and its controller."""

from collections.abc import Callable, Mapping

import mujoco
import numpy as np

from ambidex.envs.controllers.ee_delta import EeDelta
from ambidex.envs.robot import Robot
from ambidex.envs.robots.panda import PHYSICS, make_robot
from ambidex.envs.simulation.joint_space import JointSpace
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import Task
from ambidex.envs.tasks.libero.composition import attach_robot
from ambidex.envs.types import Float32Array, FloatArray

HZ = 20.0
TABLE_Z = 0.9
IDLE = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0)


class EmptyTable(Task):
    """A table and a floor, without objects and goal."""

    name = "empty_table"
    family = "libero"
    robot = "panda"
    instruction = ""
    horizon = 100
    stages = ("none",)

    def __init__(self, add_objects: Callable[[mujoco.MjSpec], None] | None = None) -> None:
        self._add_objects = add_objects

    def stage(self, scene: Scene) -> int:
        return 0

    def checks(self, scene: Scene) -> Mapping[str, bool]:  # type: ignore[override]
        return {}

    def compose(self, robot: Robot) -> mujoco.MjSpec:
        spec = mujoco.MjSpec()
        PHYSICS.apply(spec)
        box, plane = mujoco.mjtGeom.mjGEOM_BOX, mujoco.mjtGeom.mjGEOM_PLANE
        spec.worldbody.add_geom(name="table", type=box, size=[0.5, 0.6, 0.025], pos=[0, 0, TABLE_Z - 0.025])
        spec.worldbody.add_geom(name="floor", type=plane, size=[3, 3, 0.1])
        attach_robot(spec, robot)
        if self._add_objects is not None:
            self._add_objects(spec)
        return spec


class PandaBench:
    """Runs `ee` control and reads the hand's pose."""

    def __init__(self, add_objects: Callable[[mujoco.MjSpec], None] | None = None) -> None:
        self.scene = Scene(make_robot(), EmptyTable(add_objects))
        self.joints = JointSpace(self.scene)
        self.controller = EeDelta(self.scene, HZ)
        self._substeps = round(1.0 / HZ / PHYSICS.timestep)
        self.scene.reset({})
        self.upright = self.hand().quaternion

    def act(self, action: object, steps: int = 1) -> Float32Array:
        """Act for some steps; returns the last joint command."""
        for _ in range(steps):
            command = self.controller.joint_action(self.scene, np.asarray(action, np.float32))
            self.command(command)
        return command

    def command(self, joint_action: Float32Array) -> None:
        self.joints.act(joint_action, self._substeps)

    def hand(self) -> Pose:
        return self.scene.site_pose("robot0_grip_site")

    def reach(self, position: object, gripper: float, steps: int = 60) -> None:
        """Move the hand to a position without rotation."""
        for _ in range(steps):
            shift = np.clip((np.asarray(position) - self.hand().position) / 0.05, -1.0, 1.0)
            self.act([*shift, 0.0, 0.0, 0.0, gripper])

    def force(self) -> FloatArray:
        """Sum of all contact forces (3,) [N] in the world's axes, on the second bodies of the pairs."""
        total, wrench = np.zeros(3), np.zeros(6)
        for index, contact in enumerate(self.scene.data.contact):
            mujoco.mj_contactForce(self.scene.model, self.scene.data, index, wrench)
            total += contact.frame.reshape(3, 3).T @ wrench[:3]
        return total
