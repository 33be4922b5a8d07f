"""The expert for hand_over_bar: the right arm picks the bar up, the left one takes it and lays it across the bowl."""

import math

import numpy as np

from ambidex.envs.objects.aloha.bar_and_bowl import BAR_HALF_SIZE, BOWL_HEIGHT
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.types import FloatArray, Observation
from ambidex.scripted_policies.arm_motion import ArmMotion, Motion, grasp_heading, level_offset, tool_orientation
from ambidex.scripted_policies.bimanual_expert import BimanualExpert
from ambidex.scripted_policies.skills import CLEARANCE, fixed, pick, place, take, tool_for

RIGHT_FORWARD = math.pi  # heading of the right arm [rad]
PITCH = math.radians(65.0)  # of both tools: the wrist cameras of the two arms stay clear of each other
GRIP = 0.085  # distance of each grasp from the bar's centre [m]
GRASP_HEIGHT = 0.017  # of the tool above the bar's centre, so that the finger tips clear what the bar lies on [m]
HANDOVER = (0.0, 0.5, 0.2)  # where the right gripper holds the bar's centre [m]
WAIT_S = 8.0  # at most, for the other arm [s]
STANDOFF = 0.1  # between the waiting left tool and its grasp [m]
PRESENTED = 0.03  # largest offset of the bar from the handover position, along each axis [m]
BACK = 0.1  # way of the right tool after the handover, along its own axis [m]
LAYING_HEIGHT = 0.04  # from which the bar is lowered onto the bowl [m]


class HandOverBarExpert(BimanualExpert):
    """Each arm grasps one end from above, pointing along the bar, so that the hands are 17 cm apart."""

    def reset(self, observation: Observation, seed: int) -> None:
        self._taken = False
        super().reset(observation, seed)
        self._handover = self.jitter(Pose.at(HANDOVER)).position

    def right_script(self, arm: ArmMotion) -> Motion:
        yield from pick(arm, "bar", self._near_end, above=self.jitter(self._near_end()).shifted((0.0, 0.0, CLEARANCE)))
        yield from arm.move_joints(tool_for(arm, "bar", self._presented()))
        yield from arm.wait_until(lambda: self._taken, timeout=WAIT_S)
        yield from arm.release("bar")
        yield from arm.move_straight(fixed(arm.reference_pose @ Pose.at((-BACK, 0.0, 0.0))))

    def left_script(self, arm: ArmMotion) -> Motion:
        waiting = self._grasp(Pose.at(self._handover), 0.0) @ Pose.at((-STANDOFF, 0.0, 0.0))
        yield from arm.move_joints(waiting, opening=1.0, speed=0.7)
        yield from arm.wait_until(self._is_presented, timeout=WAIT_S)
        yield from take(arm, "bar", lambda: self._grasp(self.scene.body_pose("bar"), 0.0))
        self._taken = True
        yield from arm.wait_until(lambda: not self.scene.groups_touch("bar", "right_arm"), timeout=WAIT_S)
        yield from place(arm, "bar", self._on_bowl, above=LAYING_HEIGHT)

    def _near_end(self) -> Pose:
        """The right tool's pose for grasping the end of the bar that is nearer to its base."""
        bar = self.scene.body_pose("bar")
        return self._grasp(bar, grasp_heading(bar, RIGHT_FORWARD, math.pi))

    def _grasp(self, bar: Pose, heading: float) -> Pose:
        """The pose of a tool that points along the bar and holds its end."""
        back = bar.position - level_offset(heading, GRIP)
        return Pose(back, tool_orientation(heading, PITCH)).shifted((0.0, 0.0, GRASP_HEIGHT))

    def _presented(self) -> Pose:
        """The bar level along the x axis of the cell, held out for the left arm."""
        return Pose(self._handover, self._level(self.right, RIGHT_FORWARD))

    def _on_bowl(self) -> Pose:
        """The bar across the middle of the bowl, in line with the left arm's base."""
        bowl = self.scene.body_pose("bowl").position
        x, y, _ = bowl - self.left.arm.base.position
        height = np.array([0.0, 0.0, BOWL_HEIGHT + BAR_HALF_SIZE[2]])
        return Pose(bowl + height, self._level(self.left, math.atan2(y, x)))

    def _level(self, arm: ArmMotion, heading: float) -> FloatArray:
        """Quaternion (wxyz) of the level bar, when the tool that holds it points along a heading [rad]."""
        backwards = self.scene.body_pose("bar").axis(0) @ arm.tool_pose.axis(0) < 0.0
        return quaternion_about((0, 0, 1), heading + math.pi if backwards else heading)

    def _is_presented(self) -> bool:
        offset = self.scene.body_pose("bar").position - self._handover
        return self.right.holds("bar") and not self.right.moving and float(np.abs(offset).max()) < PRESENTED
