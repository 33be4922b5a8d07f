"""The expert for ALOHA's transfer_cube task: the right gripper hands a cube over to the left one."""

import math

import numpy as np

from ambidex.envs.simulation.pose import Pose
from ambidex.envs.types import Observation
from ambidex.scripted_policies.arm_motion import ArmMotion, Motion, grasp_heading, tool_orientation
from ambidex.scripted_policies.bimanual_expert import BimanualExpert
from ambidex.scripted_policies.skills import take

RIGHT_FORWARD = math.pi  # heading of the right arm, which points along -x [rad]
CLEARANCE = 0.08  # height above the cube before grasping it [m]
GRASP_HEIGHT = 0.006  # of the tool above the cube's centre, so that the finger tips clear the table [m]
HANDOVER = (0.0, 0.5, 0.25)  # where the right gripper holds the cube for the left one [m]
STANDOFF = 0.10  # between the waiting left tool and the cube [m]
RETREAT = 0.12  # of the right tool after release [m]
PRESENTED = 0.03  # largest offset of the cube from the handover position, along each axis [m]
TRIES = 3


class TransferCubeExpert(BimanualExpert):
    """Right: grasp from above, lift, hold the cube level. Left: approach from the other side, grasp, hold.

    The right fingers hold two opposite sides of the cube and the left fingers, turned by 90 degrees, the other two,
    so the four fingers do not collide.
    """

    def reset(self, observation: Observation, seed: int) -> None:
        self._handed_over = False
        super().reset(observation, seed)
        self._handover = self.jitter(Pose.at(HANDOVER)).position

    def right_script(self, arm: ArmMotion) -> Motion:
        for _ in range(TRIES):
            yield from self._pick(arm)
            if arm.holds("cube"):
                break
            yield from arm.release("cube")
        yield from arm.move_joints(Pose(self._handover, tool_orientation(RIGHT_FORWARD, 0.0)))
        yield from arm.wait_until(lambda: self._handed_over, timeout=4.0)
        yield from arm.release("cube")
        yield from arm.move_joints(arm.reference_pose.shifted((RETREAT, 0.0, 0.0)))

    def left_script(self, arm: ArmMotion) -> Motion:
        side = tool_orientation(0.0, 0.0, math.pi / 2)
        waiting = Pose(self._handover, side).shifted((-STANDOFF, 0.0, 0.0))
        yield from arm.move_joints(waiting, opening=1.0, speed=0.7)
        yield from arm.wait_until(self._is_presented, timeout=6.0)
        yield from take(arm, "cube", lambda: Pose(self.scene.body_pose("cube").position, side))
        self._handed_over = True

    def _pick(self, arm: ArmMotion) -> Motion:
        cube = self.scene.body_pose("cube")
        down = tool_orientation(grasp_heading(cube, RIGHT_FORWARD, math.pi / 2), math.pi / 2)
        above = self.jitter(Pose(cube.position, down)).shifted((0, 0, CLEARANCE))
        yield from arm.move_joints(above, opening=1.0)
        yield from arm.move_joints(Pose(self.scene.body_pose("cube").position, down).shifted((0, 0, GRASP_HEIGHT)))
        yield from arm.grasp("cube")
        yield from arm.move_joints(arm.reference_pose.shifted((0, 0, CLEARANCE)), timeout=0.0)

    def _is_presented(self) -> bool:
        offset = self.scene.body_pose("cube").position - self._handover
        return self.right.holds("cube") and not self.right.moving and float(np.abs(offset).max()) < PRESENTED
