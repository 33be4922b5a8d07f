"""The expert for unscrew_cap: the left hand holds the bottle, the right one turns the cap and grasps it anew."""

import math

import numpy as np

from ambidex.envs.objects.aloha.bottle import CAP_HEIGHT, PITCH
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.tasks.aloha.unscrew_cap import FREE
from ambidex.envs.types import Observation
from ambidex.scripted_policies.arm_motion import ArmMotion, Motion, Path, tool_orientation
from ambidex.scripted_policies.bimanual_expert import BimanualExpert
from ambidex.scripted_policies.skills import fixed, place, turned

HOLD_HEIGHT = 0.035  # of the left tool on the bottle above the table [m]
HOLD_PITCH = math.radians(25.0)
BACK = 0.1  # from where the left tool approaches the bottle [m]
ABOVE = 0.07  # height from which the right tool comes down on the cap [m]
TURN = math.radians(140.0)  # by one grasp
TURN_SPEED = 1.35  # as a factor on the usual speed
OPENING = 0.85  # of the gripper around the cap, to turn back [0 to 1]
TRIES = 8  # grasps of the cap, at most
CAP_PLACE = (0.18, 0.5)  # where the cap is put down [m]
WAIT_S = 3.0


class UnscrewCapExpert(BimanualExpert):
    """The right tool points straight down, so that a turn of its wrist turns the cap."""

    def reset(self, observation: Observation, seed: int) -> None:
        self._holds = self._cap_is_off = False
        super().reset(observation, seed)

    def left_script(self, arm: ArmMotion) -> Motion:
        hold = Pose(self._bottle(HOLD_HEIGHT), tool_orientation(0.0, HOLD_PITCH))
        before = self.jitter(hold @ Pose.at((-BACK, 0.0, 0.0)))
        yield from arm.move_joints(before, opening=1.0)
        yield from arm.move_straight(lambda: hold)
        yield from arm.grasp("bottle")
        self._holds = True
        yield from arm.wait_until(lambda: self._cap_is_off, timeout=40.0)
        yield from arm.release("bottle")
        yield from arm.move_straight(lambda: before)

    def right_script(self, arm: ArmMotion) -> Motion:
        yield from arm.move_joints(self.jitter(self._on_cap(-TURN / 2)).shifted((0, 0, ABOVE)), opening=1.0)
        yield from arm.wait_until(lambda: self._holds, timeout=WAIT_S)
        yield from arm.move_joints(self._on_cap(-TURN / 2), opening=OPENING)
        for _ in range(TRIES):
            yield from arm.grasp("cap")
            yield from arm.follow(self._turning(arm, TURN), speed=TURN_SPEED)
            if self._is_free():
                break
            yield from arm.release("cap", opening=OPENING)
            yield from arm.follow(self._turning(arm, -TURN), speed=TURN_SPEED, timeout=0.1)
        yield from arm.move_straight(fixed(arm.reference_pose.shifted((0, 0, ABOVE))))
        self._cap_is_off = True
        put = self._put_down()
        yield from place(arm, "cap", lambda: put)

    def _bottle(self, height: float) -> np.ndarray:
        position = self.scene.body_pose("bottle").position
        return np.array([position[0], position[1], height])

    def _on_cap(self, turn: float) -> Pose:
        """The tool around the cap, its fingers turned about the vertical by an angle [rad] from its usual heading."""
        cap = self.scene.body_pose("cap").position
        heading = math.pi + turn
        return Pose(cap + np.array([0.0, 0.0, CAP_HEIGHT / 2 + 0.014]), tool_orientation(heading, math.pi / 2))

    def _turning(self, arm: ArmMotion, angle: float) -> Path:
        """The way of the tool around the cap by an angle [rad], up or down with the thread."""
        start, end = arm.reference_pose, self._on_cap(TURN / 2 if angle > 0 else -TURN / 2)
        axis = np.array([0.0, 0.0, 1.0])
        rise = end.position - start.position + max(0.0, angle) * PITCH / (2.0 * math.pi) * axis
        return lambda share: turned(start, start.position, axis, share * angle).shifted(share * rise)

    def _is_free(self) -> bool:
        return self.scene.joint_position("thread_joint") >= FREE

    def _put_down(self) -> Pose:
        cap = self.scene.body_pose("cap")
        return Pose(np.array([*CAP_PLACE, 0.001]), cap.quaternion)
