"""The motions one arm can do. Each is a generator that yields once per control step and ends on a condition."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ambidex.envs.pose import Pose, quaternion_about, quaternion_product, rotation_between
from ambidex.envs.robot import Arm
from ambidex.envs.scene import Scene

Motion = Iterator[None]
Attempt = Iterator[None]
Goal = Callable[[], Pose]
Condition = Callable[[], bool]


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast an arm moves; well inside what the real servos follow.

    Attributes:
        linear: Mean speed of the tool [m/s].
        angular: Mean turning speed of the tool [rad/s].
        gripper: Opening rate [1/s].
        shortest: Least duration of a motion [s].
    """

    linear: float = 0.22
    angular: float = 1.2
    gripper: float = 2.5
    shortest: float = 0.4


ARRIVED = 0.004  # [m]
ARRIVED_ANGLE = 0.06  # [rad]
SQUEEZE = 0.2  # how far the command closes beyond first contact, as a share of the full opening
SETTLE_S = 0.12  # contact must last this long to count as a grasp [s]


class ArmMotion:
    """One arm's reference: where its tool should be and how far its gripper should be open.

    Attributes:
        reference: Where the tool should be now.
        opening: Where the gripper should be now, 0 closed to 1 open.
    """

    def __init__(self, scene: Scene, arm: Arm, control_hz: float, pace: Pace) -> None:
        self.scene = scene
        self.arm = arm
        self.reference = self.tool()
        self.opening = self._measured_opening()
        self.moving = False
        self._dt = 1.0 / control_hz
        self._pace = pace

    def tool(self) -> Pose:
        """The measured pose of the tool centre point."""
        return self.scene.site_pose(self.arm.tcp_site)

    def move(self, goal: Goal, *, opening: float | None = None, slowly: float = 1.0, patience: float = 0.6) -> Motion:
        """Go straight to a goal, which may move, along a minimum-jerk profile; ends on arrival.

        Args:
            goal: Where to go; asked at every step.
            opening: Gripper opening to reach on the way.
            slowly: Share of the usual pace.
            patience: How long to wait for arrival after the profile has ended [s].
        """
        start = self.reference
        duration = max(self._pace.shortest, _duration(start, goal(), self._pace) / slowly)
        elapsed = 0.0
        while elapsed < duration + patience:
            elapsed += self._dt
            share = _minimum_jerk(min(1.0, elapsed / duration))
            self.moving = share < 1.0
            self.reference = _between(start, goal(), share)
            if opening is not None:
                self._turn_gripper(opening)
            if not self.moving and self._arrived():
                break
            yield
        self.moving = False

    def grasp(self, group: str, *, timeout: float = 0.9) -> Attempt:
        """Close until both fingers hold the group for a moment; ends there, or when closed on nothing."""
        held_s = elapsed = 0.0
        stop_at = 0.0
        while held_s < SETTLE_S and elapsed < timeout:
            elapsed += self._dt
            if self.scene.held(group, self.arm.name):
                stop_at = stop_at or max(0.0, self._measured_opening() - SQUEEZE)
                held_s += self._dt
            else:
                held_s = 0.0
            self._turn_gripper(stop_at)
            yield

    def release(self, group: str, *, opening: float = 1.0, timeout: float = 0.9) -> Motion:
        """Open until nothing of this arm touches the group and the gripper is open as wide as asked."""
        elapsed = 0.0
        while elapsed < timeout:
            elapsed += self._dt
            self._turn_gripper(opening)
            if self.opening == opening and not self.scene.touching(group, f"{self.arm.name}_fingers"):
                return
            yield

    def wait(self, condition: Condition, *, timeout: float) -> Motion:
        """Stay until the condition holds, at most `timeout` [s]."""
        elapsed = 0.0
        while not condition() and elapsed < timeout:
            elapsed += self._dt
            yield

    def holds(self, group: str) -> bool:
        """Whether both fingers touch the group."""
        return self.scene.held(group, self.arm.name)

    def _arrived(self) -> bool:
        tool = self.tool()
        turned = rotation_between(tool.quaternion, self.reference.quaternion)
        distance = np.linalg.norm(tool.position - self.reference.position)
        return bool(distance < ARRIVED and np.linalg.norm(turned) < ARRIVED_ANGLE)

    def _turn_gripper(self, opening: float) -> None:
        change = self._pace.gripper * self._dt
        self.opening += float(np.clip(opening - self.opening, -change, change))

    def _measured_opening(self) -> float:
        gripper = self.arm.gripper
        position = float(self.scene.data.joint(gripper.joint).qpos[0])
        return (position - gripper.closed) / (gripper.opened - gripper.closed)


def _minimum_jerk(share: float) -> float:
    return share**3 * (10.0 - 15.0 * share + 6.0 * share**2)


def _duration(start: Pose, goal: Pose, pace: Pace) -> float:
    distance = float(np.linalg.norm(goal.position - start.position))
    angle = float(np.linalg.norm(rotation_between(start.quaternion, goal.quaternion)))
    return max(distance / pace.linear, angle / pace.angular)


def _between(start: Pose, goal: Pose, share: float) -> Pose:
    turn = rotation_between(start.quaternion, goal.quaternion)
    angle = float(np.linalg.norm(turn))
    if angle > 1e-9:
        turned = quaternion_product(quaternion_about(turn / angle, angle * share), start.quaternion)
    else:
        turned = start.quaternion
    return Pose(start.position + share * (goal.position - start.position), turned)
