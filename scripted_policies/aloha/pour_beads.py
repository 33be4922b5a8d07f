"""The expert for pour_beads: the left hand holds its cup, the right one tilts the other over its rim."""

import math

import numpy as np

from ambidex.envs.objects.aloha.cups import CUP_HEIGHT, INNER_RADIUS, WALL
from ambidex.envs.simulation.pose import Pose, quaternion_about
from ambidex.envs.types import Observation
from ambidex.scripted_policies.arm_motion import ArmMotion, Motion, tool_orientation
from ambidex.scripted_policies.bimanual_expert import BimanualExpert
from ambidex.scripted_policies.skills import LOWERING_SPEED, behind, fixed, in_step, take_hold, tool_for

FORWARD = {"left": 0.0, "right": math.pi}  # heading of the arms [rad]
GRASP_HEIGHT, GRASP_PITCH = 0.042, math.radians(20.0)  # of the tools at the cups [m, rad]
BACK = 0.1  # from where a tool approaches a cup [m]
LIFT = 0.08  # [m]
ABOVE_PLACE, ABOVE_TABLE = 0.03, 0.0005  # heights to which a cup is lowered, and at which it is let go [m]
MEETING = (0.0, 0.45, 0.08)  # where the blue cup is held [m]
WAITING = (0.13, 0.6, 0.13)  # where the red cup is held until then [m]
ABOVE_RIM, BESIDE = 0.012, 0.018  # of the lip of the red cup: above the rim, and from the middle of the blue cup [m]
START_BESIDE = 0.06  # before pouring [m]
OVER = math.radians(70.0)  # tilt at which the lip has come over the blue cup
POURED = math.radians(135.0)
TILTS = np.radians([0.0, 86.0, 101.0, 135.0])  # while pouring: slowly where beads roll out of the lying cup
TIMES = np.array([0.0, 1.6, 3.4, 4.4])  # of these tilts, after the start [s]
WAIT_S, BACK_S = 0.4, 2.6  # durations of waiting, and turning upright [s]
PRESENTING_S, POURING_S = 6.0, 20.0  # at most, until the other arm has done so [s]


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
        yield from arm.wait_until(lambda: self._poured, timeout=POURING_S)
        yield from self._put_back(arm, "target")

    def right_script(self, arm: ArmMotion) -> Motion:
        yield from self._take(arm, "source")
        yield from arm.move_joints(tool_for(arm, "source", self.jitter(Pose.at(WAITING))))
        yield from arm.wait_until(lambda: self._presented, timeout=PRESENTING_S)
        yield from arm.move_joints(tool_for(arm, "source", self._tilted(0.0)))
        yield from arm.follow(in_step(arm, lambda share: self._tilted(_tilt(share))), duration=TIMES[-1])
        yield from arm.wait(WAIT_S)
        yield from arm.follow(in_step(arm, lambda share: self._tilted((1.0 - share) * POURED)), duration=BACK_S)
        yield from arm.move_joints(tool_for(arm, "source", Pose.at(WAITING)), timeout=0.0)
        self._poured = True
        yield from self._put_back(arm, "source")

    def _take(self, arm: ArmMotion, name: str) -> Motion:
        cup = self.scene.body_pose(name).position
        grasp = Pose(cup + np.array([0.0, 0.0, GRASP_HEIGHT]), tool_orientation(FORWARD[arm.arm.name], GRASP_PITCH))
        yield from take_hold(arm, name, fixed(grasp), before=-BACK * grasp.axis(0))
        yield from arm.move_joints(self.jitter(arm.reference_pose.shifted((0.0, 0.0, LIFT))), timeout=0.0)

    def _put_back(self, arm: ArmMotion, name: str) -> Motion:
        place = self._places[name].shifted((0.0, 0.0, ABOVE_TABLE))
        yield from arm.move_joints(tool_for(arm, name, place.shifted((0.0, 0.0, ABOVE_PLACE))))
        yield from arm.move_straight(fixed(tool_for(arm, name, place)), speed=LOWERING_SPEED)
        yield from arm.release(name)
        yield from arm.move_joints(behind(arm.reference_pose, BACK))

    def _tilted(self, angle: float) -> Pose:
        """The red cup, tilted by an angle [rad] about its lip, which comes over the blue cup as it tilts."""
        target = self.scene.body_pose("target").position
        turn = quaternion_about((1.0, 0.0, 0.0), angle)
        beside = BESIDE + (START_BESIDE - BESIDE) * max(0.0, 1.0 - angle / OVER)
        lip = target + np.array([0.0, beside, CUP_HEIGHT + ABOVE_RIM])
        return Pose(lip, turn) @ Pose.at((0.0, INNER_RADIUS + WALL, -CUP_HEIGHT))


def _tilt(share: float) -> float:
    return float(np.interp(share * TIMES[-1], TIMES, TILTS))
