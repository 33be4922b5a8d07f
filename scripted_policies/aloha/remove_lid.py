"""The expert for remove_lid: the left arm presents the marker, both arms pull, and each lays down what it holds."""

import math

from ambidex.envs.objects.aloha.marker import CAP_LENGTH, RADIUS
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.tasks.aloha.conditions import TABLE_GAP
from ambidex.envs.types import Observation
from ambidex.scripted_policies.arm_motion import ArmMotion, Motion, tool_orientation
from ambidex.scripted_policies.bimanual_expert import BimanualExpert
from ambidex.scripted_policies.skills import LOWERING_SPEED, fixed, pick, place, take, tool_for

LEFT_PITCH = math.radians(65.0)  # steep, so that the left arm reaches the marker at any yaw
RIGHT_PITCH = math.radians(60.0)  # less, so that the wrist cameras stay clear; at 55 the wrist becomes singular
CLEARANCE = 0.06  # height above the marker before grasping it [m]
GRASP_HEIGHT = 0.017  # of a tool above the marker's axis, so that the finger tips clear the table [m]
MARKER_BACK = 0.048  # from the middle of the marker to the left tool [m]
CAP_BACK = 0.014  # from the middle of the cap to the right tool, whose fingers then cross just behind its middle [m]
PRESENTED = (-0.04, 0.5, 0.13)  # where the left arm holds the marker's middle [m]
ASIDE = (0.16, 0.0, 0.08)  # from its grasp to where the right tool waits, clear of the left hand as it turns [m]
PULL = 0.045  # way of each hand [m]
PULL_SPEED = 0.17  # as a factor on the usual speed
MARKER_PLACE, CAP_PLACE = (-0.13, 0.5), (0.11, 0.5)  # of the marker's middle and the cap's mouth on the table [m]
LOWERING = 0.1  # height from which a part is lowered onto the table [m]
LET_GO = 0.001  # height at which it is let go: a hand that lowers it further follows its rocking on the table [m]
WAIT_S = 10.0  # at most, for the other arm


class RemoveLidExpert(BimanualExpert):
    """Both tools point along the marker; the right one grasps when the left one holds it still, and both pull."""

    def reset(self, observation: Observation, seed: int) -> None:
        self._presented = self._cap_held = False
        super().reset(observation, seed)
        self._in_air = self.jitter(Pose.at(PRESENTED))

    def left_script(self, arm: ArmMotion) -> Motion:
        above = self.jitter(self._at_marker()).shifted((0.0, 0.0, CLEARANCE))
        yield from pick(arm, "marker", self._at_marker, above=above, clearance=CLEARANCE, lowering=LOWERING_SPEED)
        yield from arm.move_joints(tool_for(arm, "marker", self._in_air))
        self._presented = True
        yield from arm.wait_until(lambda: self._cap_held, timeout=WAIT_S)
        yield from self._pull(arm, -PULL)
        yield from place(arm, "marker", lambda: _above_table(MARKER_PLACE), above=LOWERING)

    def right_script(self, arm: ArmMotion) -> Motion:
        # The cap lies now to the marker as it will when that is held out.
        waiting = self._in_air @ self.scene.body_pose("marker").inverse() @ self._at_cap()
        yield from arm.move_joints(self.jitter(waiting).shifted(ASIDE), opening=1.0)
        yield from arm.wait_until(lambda: self._presented, timeout=WAIT_S)
        yield from take(arm, "cap", self._at_cap)
        self._cap_held = True
        yield from self._pull(arm, PULL)
        yield from place(arm, "cap", lambda: _above_table(CAP_PLACE), above=LOWERING)

    def _at_marker(self) -> Pose:
        grasp = Pose.at((-MARKER_BACK, 0.0, GRASP_HEIGHT), tool_orientation(0.0, LEFT_PITCH))
        return self.scene.body_pose("marker") @ grasp

    def _at_cap(self) -> Pose:
        grasp = Pose.at((CAP_LENGTH / 2 + CAP_BACK, 0.0, GRASP_HEIGHT), tool_orientation(math.pi, RIGHT_PITCH))
        return self.scene.body_pose("cap") @ grasp

    def _pull(self, arm: ArmMotion, distance: float) -> Motion:
        """Move the tool along the marker's axis, towards the cap, by a distance [m]."""
        axis = self.scene.body_pose("marker").axis(0)
        yield from arm.move_straight(fixed(arm.reference_pose.shifted(distance * axis)), speed=PULL_SPEED)


def _above_table(position: tuple[float, float]) -> Pose:
    """A part just above the table, its x axis towards the right arm."""
    return Pose.at((*position, RADIUS + TABLE_GAP + LET_GO))
