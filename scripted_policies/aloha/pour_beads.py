"""The expert for pour_beads: the left hand holds its cup, the right one tilts the other over its rim."""

import math

import numpy as np

from ambidex.envs.objects.aloha.cups import CUP_HEIGHT, INNER_RADIUS, WALL
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.types import Observation
from ambidex.scripted_policies.arm_motion import ArmMotion, Motion, tool_orientation
from ambidex.scripted_policies.bimanual_expert import BimanualExpert
from ambidex.scripted_policies.skills import fixed, place, tool_for

FORWARD = {"left": 0.0, "right": math.pi}  # heading of the arms [rad]
GRASP_HEIGHT, GRASP_PITCH = 0.042, math.radians(20.0)  # of the tools at the cups [m, rad]
BACK = 0.1  # from where a tool approaches a cup [m]
LIFT = 0.08  # [m]
MEETING = (0.0, 0.45, 0.08)  # where the blue cup is held [m]
WAITING = (0.13, 0.6, 0.13)  # where the red cup is held until then [m]
ABOVE_RIM, BESIDE = 0.03, 0.014  # of the lip of the red cup: above the rim, and from the middle of the blue cup [m]
START_BESIDE = 0.055  # before pouring [m]
OVER = math.radians(32.0)  # tilt at which the lip has come over the blue cup
POURED = math.radians(140.0)
POUR_S, WAIT_S, BACK_S = 3.2, 0.5, 1.6  # durations of pouring, waiting, and turning upright [s]


class PourBeadsExpert(BimanualExpert):
    """The red cup is beside the blue one along y, so that a turn of the right tool about its own axis tilts it."""

    def reset(self, observation: Observation, seed: int) -> None:
        self._presented = self._poured = False
        self._places = {name: self.scene.body_pose(name) for name in ("source", "target")}
        super().reset(observation, seed)

    def left_script(self, arm: ArmMotion) -> Motion:
        yield from self._take(arm, "target")
        yield from arm.move_joints(tool_for(arm, "target", self.jitter(Pose.at(MEETING))))
        self._presented = True
        yield from arm.wait_until(lambda: self._poured, timeout=20.0)
        yield from self._put_back(arm, "target")

    def right_script(self, arm: ArmMotion) -> Motion:
        yield from self._take(arm, "source")
        yield from arm.move_joints(tool_for(arm, "source", self.jitter(Pose.at(WAITING))))
        yield from arm.wait_until(lambda: self._presented, timeout=6.0)
        yield from arm.move_joints(tool_for(arm, "source", self._tilted(0.0)))
        grip = self.scene.body_pose("source").inverse() @ arm.tool_pose
        yield from arm.follow(lambda share: self._tilted(share * POURED) @ grip, duration=POUR_S)
        yield from arm.wait_until(lambda: False, timeout=WAIT_S)
        yield from arm.follow(lambda share: self._tilted((1.0 - share) * POURED) @ grip, duration=BACK_S)
        self._poured = True
        yield from self._put_back(arm, "source")

    def _take(self, arm: ArmMotion, name: str) -> Motion:
        cup = self.scene.body_pose(name).position
        grasp = Pose(cup + np.array([0.0, 0.0, GRASP_HEIGHT]), tool_orientation(FORWARD[arm.arm.name], GRASP_PITCH))
        yield from arm.move_joints(self.jitter(grasp @ Pose.at((-BACK, 0.0, 0.0))), opening=1.0)
        yield from arm.move_straight(fixed(grasp))
        yield from arm.grasp(name)
        yield from arm.move_straight(fixed(arm.reference_pose.shifted((0.0, 0.0, LIFT))), timeout=0.0)

    def _put_back(self, arm: ArmMotion, name: str) -> Motion:
        away = arm.tool_pose.axis(0)
        back = (-BACK * away[0], -BACK * away[1], 0.0)
        yield from place(arm, name, fixed(self._places[name].shifted((0.0, 0.0, 0.0005))), above=0.03, retreat=back)

    def _tilted(self, angle: float) -> Pose:
        """The red cup, tilted by an angle [rad] about its lip, which comes over the blue cup as it tilts."""
        target = self.scene.body_pose("target").position
        turn = quaternion_about((1.0, 0.0, 0.0), angle)
        beside = BESIDE + (START_BESIDE - BESIDE) * max(0.0, 1.0 - angle / OVER)
        lip = target + np.array([0.0, beside, CUP_HEIGHT + ABOVE_RIM])
        return Pose(lip, turn) @ Pose.at((0.0, INNER_RADIUS + WALL, -CUP_HEIGHT))
