"""The expert for open_box_insert: the left arm moves the lid, the right one the cube."""

import math

import numpy as np

from ambidex.envs.objects.aloha.chest import HANDLE_AT, WALL
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.tasks.aloha.open_box_insert import HALF_EDGE, OPEN, lid_angle
from ambidex.envs.types import Observation
from ambidex.scripted_policies.arm_motion import ArmMotion, Motion, grasp_heading, tool_orientation
from ambidex.scripted_policies.bimanual_expert import BimanualExpert
from ambidex.scripted_policies.skills import (
    CLEARANCE,
    along_joint,
    fixed,
    heading_of,
    pick,
    place,
    take_hold,
    turned,
    upright_yaw,
)

PITCH = math.radians(65.0)  # of the right tool, which reaches over the chest's end
FORWARD_GRASP = 0.015  # from the tool to the grasped cube's centre, along the tool: the finger tips clear the table [m]
HELD_OPEN = math.radians(100.0)  # angle of the lid while the cube is put in
ALONG_BAR = (-0.005, 0.0, 0.0)  # from the handle's middle to the left tool [m]
BACK = 0.08  # how far the left tool goes along the handle before and after the grasp [m]
ABOVE = np.array([0.0, 0.0, 0.1])  # of that place the left tool comes first: the way from home swings forward [m]
LID_SPEED = 0.8  # as a factor on the usual speed
IN_CHEST = (0.0, -0.018)  # where the cube is put: the palm stays clear of the lid, the fingers of the front [m]
LETTING_GO = 0.6  # opening of the right gripper in the chest
WAITING = (0.24, 0.45, 0.18)  # of the right tool, until the lid is open [m]
WAIT_S = 8.0  # at most, for the other arm [s]


class OpenBoxInsertExpert(BimanualExpert):
    """The right arm picks the cube up while the left one opens the lid, and moves away before the lid is let down."""

    def reset(self, observation: Observation, seed: int) -> None:
        self._inside = False
        super().reset(observation, seed)
        self._waiting = self.jitter(Pose.at(WAITING)).position

    def left_script(self, arm: ArmMotion) -> Motion:
        back = -BACK * self._handle().axis(0)
        before = self.jitter(Pose.at(back)).position
        yield from arm.move_joints(self._handle().shifted(before + ABOVE), opening=1.0, timeout=0.0)
        yield from take_hold(arm, "lid_handle", self._handle, before=before)
        yield from arm.follow(along_joint(arm, "lid_joint", HELD_OPEN), speed=LID_SPEED)
        yield from arm.wait_until(lambda: self._inside, timeout=WAIT_S)
        yield from arm.follow(along_joint(arm, "lid_joint", 0.0), speed=LID_SPEED)
        yield from arm.release("lid_handle")
        yield from arm.move_straight(fixed(arm.reference_pose.shifted(back)))

    def right_script(self, arm: ArmMotion) -> Motion:
        above = self.jitter(self._grasp()).shifted((0.0, 0.0, CLEARANCE))
        yield from pick(arm, "cube", self._grasp, above=above)
        yield from arm.move_joints(self._at_waiting())
        yield from arm.wait_until(lambda: lid_angle(self.scene) > OPEN and not self.left.moving, timeout=WAIT_S)
        yield from place(arm, "cube", fixed(self._target(arm)), opening=LETTING_GO)
        self._inside = True
        yield from arm.move_joints(self._at_waiting())

    def _handle(self) -> Pose:
        """The left tool's pose at the handle: level, pointing along it."""
        lid = self.scene.body_pose("lid")
        at = lid @ Pose.at(np.add(HANDLE_AT, ALONG_BAR))
        return Pose(at.position, tool_orientation(upright_yaw(lid), 0.0))

    def _grasp(self) -> Pose:
        cube = self.scene.body_pose("cube")
        heading = grasp_heading(cube, math.pi, math.pi / 2)
        return Pose(cube.position, tool_orientation(heading, PITCH)) @ Pose.at((-FORWARD_GRASP, 0.0, 0.0))

    def _at_waiting(self) -> Pose:
        return Pose(self._waiting, tool_orientation(math.pi, PITCH))

    def _target(self, arm: ArmMotion) -> Pose:
        """The cube's pose in the chest, for which the tool points along it."""
        chest, cube = self.scene.body_pose("chest"), self.scene.body_pose("cube")
        turn = math.pi + upright_yaw(chest) - heading_of(arm.tool_pose)
        at = chest @ Pose.at((*IN_CHEST, WALL + HALF_EDGE))
        return Pose(at.position, turned(cube, cube.position, np.array([0.0, 0.0, 1.0]), turn).quaternion)
