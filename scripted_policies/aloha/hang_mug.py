"""The expert for hang_mug: the left hand holds the stand, the right one brings the mug by its rim to the peg."""

import math

import numpy as np

from ambidex.envs.objects.aloha.mug_tree import HOLE, MUG_HEIGHT, PEG_LENGTH, RADIUS, WALL, peg_ends
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.types import Observation
from ambidex.scripted_policies.arm_motion import ArmMotion, Motion, tool_orientation
from ambidex.scripted_policies.bimanual_expert import BimanualExpert
from ambidex.scripted_policies.skills import fixed, pick, tool_for, upright_yaw

HOLD_HEIGHT, HOLD_PITCH = 0.04, math.radians(25.0)  # of the left tool at the post [m, rad]
BACK = 0.1  # from where the left tool approaches the post [m]
GRIP_PITCH = math.radians(80.0)  # of the right tool
GRIP_DEPTH = 0.003  # of the tool below the rim [m]
GRIP_OPENING = 0.42  # of the gripper around the rim [0 to 1]
BEFORE = 0.03  # between the handle and the tip of the peg before the mug is hung [m]
ON_PEG = 0.035  # from the post to the handle in the end, along the peg [m]
LOWER = 0.016  # way down until the handle rests on the peg [m]
SLIDE_SPEED, LOWER_SPEED = 0.35, 0.3  # as factors on the usual speed
AWAY = 0.1  # of both tools in the end [m]


class HangMugExpert(BimanualExpert):
    """The mug is gripped opposite of its handle, so that the handle is free to slide onto the peg."""

    def reset(self, observation: Observation, seed: int) -> None:
        self._holds = self._hung = False
        super().reset(observation, seed)

    def left_script(self, arm: ArmMotion) -> Motion:
        position = self.scene.body_pose("mug_tree").position
        heading = upright_yaw(self.scene.body_pose("mug_tree"))
        hold = Pose(np.array([position[0], position[1], HOLD_HEIGHT]), tool_orientation(heading, HOLD_PITCH))
        before = self.jitter(hold @ Pose.at((-BACK, 0.0, 0.0)))
        yield from arm.move_joints(before, opening=1.0)
        yield from arm.move_straight(fixed(hold))
        yield from arm.grasp("mug_tree")
        self._holds = True
        yield from arm.wait_until(lambda: self._hung, timeout=20.0)
        yield from arm.release("mug_tree")
        yield from arm.move_straight(fixed(before))

    def right_script(self, arm: ArmMotion) -> Motion:
        yield from pick(arm, "mug", self._rim_grasp, opening=GRIP_OPENING)
        yield from arm.wait_until(lambda: self._holds, timeout=5.0)
        yield from arm.move_joints(tool_for(arm, "mug", self.jitter(self._mug_on_peg(PEG_LENGTH + BEFORE))))
        yield from arm.move_straight(fixed(tool_for(arm, "mug", self._mug_on_peg(ON_PEG))), speed=SLIDE_SPEED)
        down = arm.reference_pose.shifted((0.0, 0.0, -LOWER))
        yield from arm.move_straight(fixed(down), speed=LOWER_SPEED)
        yield from arm.release("mug", opening=GRIP_OPENING)
        yield from arm.move_straight(fixed(arm.reference_pose.shifted((0.0, 0.0, AWAY))))
        self._hung = True

    def _rim_grasp(self) -> Pose:
        """The tool over the rim, opposite of the handle, one finger inside."""
        mug = self.scene.body_pose("mug")
        rim = mug @ Pose.at((-RADIUS + WALL / 2, 0.0, MUG_HEIGHT - GRIP_DEPTH))
        return Pose(rim.position, tool_orientation(upright_yaw(mug) + 1.5 * math.pi, GRIP_PITCH))

    def _mug_on_peg(self, distance: float) -> Pose:
        """The mug upright, its handle around the axis of the peg at a distance from the post along it [m]."""
        tree = self.scene.body_pose("mug_tree")
        start, end = peg_ends()
        on_axis = tree @ Pose.at(start + distance * (end - start) / PEG_LENGTH)
        across = quaternion_about((0, 0, 1), upright_yaw(tree) - math.pi / 2)
        return Pose(on_axis.position, across) @ Pose.at((-HOLE[0], 0.0, -HOLE[1]))
