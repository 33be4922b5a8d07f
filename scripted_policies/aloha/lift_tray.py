"""The expert for lift_tray: both arms grasp a handle, and lift the tray as one."""

import math

from ambidex.envs.objects.aloha.tray import HANDLE_HEIGHT, HANDLE_X, SIDES
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.types import Observation
from ambidex.scripted_policies.arm_motion import ArmMotion, Motion, tool_orientation
from ambidex.scripted_policies.bimanual_expert import BimanualExpert
from ambidex.scripted_policies.skills import CLEARANCE, carry_together, take_hold, upright_yaw

FORWARD = {"left": 0.0, "right": math.pi}  # heading of the arms at a tray without yaw [rad]
PITCH = math.radians(55.0)  # of the tools: the finger tips stay clear of table and rim, the palms of the tray
OUTSIDE = 0.004  # distance of the grasp from the middle of the handle, away from the rim [m]
RAISED = (0.0, 0.5, 0.145)  # where the tray is held at the end [m]
CARRYING_SPEED = 0.4  # as a factor on the usual speed
WAIT_S = 4.0  # at most, for the other arm [s]


class LiftTrayExpert(BimanualExpert):
    """Each arm takes the handle of its side. When both hold theirs, the tray is carried to the middle, level."""

    def reset(self, observation: Observation, seed: int) -> None:
        super().reset(observation, seed)
        self._raised = self.jitter(Pose.at(RAISED))

    def left_script(self, arm: ArmMotion) -> Motion:
        yield from self._take(arm)
        yield from arm.wait_until(lambda: self.right.holds("right_handle"), timeout=WAIT_S)
        yield from carry_together((self.left, self.right), "tray", self._raised, speed=CARRYING_SPEED)

    def right_script(self, arm: ArmMotion) -> Motion:
        yield from self._take(arm)

    def _take(self, arm: ArmMotion) -> Motion:
        above = self.jitter(Pose.at((0.0, 0.0, CLEARANCE))).position
        yield from take_hold(arm, f"{arm.arm.name}_handle", lambda: self._grasp(arm.arm.name), before=above)

    def _grasp(self, side: str) -> Pose:
        tray = self.scene.body_pose("tray")
        handle = tray @ Pose.at((SIDES[side] * (HANDLE_X + OUTSIDE), 0.0, HANDLE_HEIGHT))
        return Pose(handle.position, tool_orientation(FORWARD[side] + upright_yaw(tray), PITCH))
