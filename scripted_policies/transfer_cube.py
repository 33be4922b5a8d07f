"""The expert that hands a cube from the right gripper to the left."""

import math

import numpy as np

from ambidex.envs.simulation.pose import Pose
from ambidex.envs.types import Observation
from ambidex.scripted_policies.arm_motion import ArmMotion, Motion, heading_along, tool_orientation
from ambidex.scripted_policies.expert import Expert

RIGHT_FORWARD = math.pi  # the right arm looks along -x
CLEARANCE = 0.08  # above the cube before grasping [m]
GRASP_HEIGHT = 0.006  # tool above the cube's centre, so that the finger tips clear the table [m]
MEETING = (0.0, 0.5, 0.25)  # where the cube changes hands [m]
STANDOFF = 0.10  # between the waiting left tool and the cube [m]
RETREAT = 0.12  # of the right tool after release [m]
NEAR_MEETING = 0.03  # the cube counts as presented this near to it [m]
TRIES = 3


class TransferCubeExpert(Expert):
    """Right: grasp from above, lift, present the cube level. Left: come from the other side, grasp, hold.

    The right fingers hold two opposite sides and the left fingers, turned by a quarter, two others, so the
    four fingers never meet.
    """

    def reset(self, observation: Observation, seed: int) -> None:
        self._handed_over = False
        super().reset(observation, seed)
        self._meeting = self.jitter(Pose.at(MEETING)).position

    def right_script(self, arm: ArmMotion) -> Motion:
        for _ in range(TRIES):
            yield from self._pick(arm)
            if arm.holds("cube"):
                break
            yield from arm.release("cube")
        yield from arm.travel(Pose(self._meeting, tool_orientation(RIGHT_FORWARD, 0.0)))
        yield from arm.wait(lambda: self._handed_over, timeout=4.0)
        yield from arm.release("cube")
        yield from arm.travel(arm.reference.shifted((RETREAT, 0.0, 0.0)))

    def left_script(self, arm: ArmMotion) -> Motion:
        side = tool_orientation(0.0, 0.0, math.pi / 2)
        waiting = Pose(self._meeting, side).shifted((-STANDOFF, 0.0, 0.0))
        yield from arm.travel(waiting, opening=1.0, slowly=0.7)
        yield from arm.wait(self._presented, timeout=6.0)
        for _ in range(TRIES):
            yield from arm.move(lambda: Pose(self.scene.body_pose("cube").position, side), opening=1.0)
            yield from arm.grasp("cube")
            if arm.holds("cube"):
                break
            yield from arm.release("cube")
        self._handed_over = True

    def _pick(self, arm: ArmMotion) -> Motion:
        cube = self.scene.body_pose("cube")
        down = tool_orientation(heading_along(cube, RIGHT_FORWARD, math.pi / 2), math.pi / 2)
        above = self.jitter(Pose(cube.position, down)).shifted((0, 0, CLEARANCE))
        yield from arm.travel(above, opening=1.0)
        yield from arm.travel(Pose(self.scene.body_pose("cube").position, down).shifted((0, 0, GRASP_HEIGHT)))
        yield from arm.grasp("cube")
        yield from arm.travel(arm.reference.shifted((0, 0, CLEARANCE)), patience=0.0)

    def _presented(self) -> bool:
        offset = self.scene.body_pose("cube").position - self._meeting
        return self.right.holds("cube") and not self.right.moving and float(np.abs(offset).max()) < NEAR_MEETING
