"""The motions one arm can do. Each is a generator that yields once per control step and ends on a condition."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ambidex.envs.robot import Arm
from ambidex.envs.simulation.kinematics import Kinematics
from ambidex.envs.simulation.pose import Pose, quaternion_about, quaternion_product, rotation_between
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import FloatArray

Motion = Iterator[None]
Goal = Callable[[], Pose]
Condition = Callable[[], bool]


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast an arm moves; well inside what the real servos follow.

    Attributes:
        linear: Mean speed of the tool [m/s].
        angular: Mean turning speed of the tool [rad/s].
        joint: Mean speed of the joint that moves most, in free travel [rad/s].
        gripper: Opening rate [1/s].
        shortest: Least duration of a motion [s].
    """

    linear: float = 0.28
    angular: float = 1.2
    joint: float = 1.3
    gripper: float = 2.5
    shortest: float = 0.4


ARRIVED = 0.004  # [m]
ARRIVED_ANGLE = 0.06  # [rad]
SMOOTHING = 0.2  # share of the way to a moving goal that is taken per control step: a measured goal trembles
SQUEEZE = 0.2  # how far the command closes beyond first contact, as a share of the full opening
SETTLE_S = 0.12  # contact must last this long to count as a grasp [s]


class ArmMotion:
    """One arm's reference: where its joints should be and how far its gripper should be open.

    Attributes:
        joints: Where the joints should be now, shape (joints,) [rad].
        opening: Where the gripper should be now, 0 closed to 1 open.
        moving: Whether the reference is on its way; when it is not, the arm is settling on it.
    """

    def __init__(self, scene: Scene, arm: Arm, kinematics: Kinematics, control_hz: float, pace: Pace) -> None:
        self.scene = scene
        self.arm = arm
        self.joints: FloatArray = np.array(arm.home)
        self.opening = self._measured_opening()
        self.moving = False
        self._kinematics = kinematics
        self._dt = 1.0 / control_hz
        self._pace = pace

    @property
    def reference(self) -> Pose:
        """Where the tool should be now."""
        return self._kinematics.forward(self.joints)

    def tool(self) -> Pose:
        """The measured pose of the tool centre point."""
        return self.scene.site_pose(self.arm.tcp_site)

    def travel(self, goal: Pose, *, opening: float | None = None, slowly: float = 1.0, patience: float = 0.6) -> Motion:
        """Go to a goal through free space, every joint along a minimum-jerk profile; ends on arrival.

        A joint path passes wrist singularities smoothly, where a straight line of the tool cannot.

        Args:
            goal: Where to go.
            opening: Gripper opening to reach on the way.
            slowly: Share of the usual pace.
            patience: How long to wait for arrival after the profile has ended [s].
        """
        start, end = self.joints, self._joints_at(goal)
        longest = max(_duration(self.reference, goal, self._pace), float(np.abs(end - start).max()) / self._pace.joint)
        for share in self._shares(longest / slowly, patience, lambda: _near(self.tool(), goal)):
            self.joints = start + share * (end - start)
            yield from self._step(opening)

    def move(self, goal: Goal, *, opening: float | None = None, slowly: float = 1.0, patience: float = 0.6) -> Motion:
        """Go straight to a goal, which may move, along a minimum-jerk profile; ends on arrival.

        Args:
            goal: Where to go; asked at every step.
            opening: Gripper opening to reach on the way.
            slowly: Share of the usual pace.
            patience: How long to wait for arrival after the profile has ended [s].
        """
        start = smoothed = self.reference
        max_step = self.arm.max_joint_speed * self._dt

        def arrived() -> bool:
            return _near(self.reference, goal(), 0.5) and _near(self.tool(), goal())

        for share in self._shares(_duration(start, goal(), self._pace) / slowly, patience, arrived):
            smoothed = _between(smoothed, _between(start, goal(), share), SMOOTHING)
            self.joints = self._kinematics.inverse(self.joints, smoothed, max_step=max_step)
            yield from self._step(opening)

    def grasp(self, group: str, *, timeout: float = 0.9) -> Motion:
        """Close until both fingers hold the group for a moment; ends there, or when closed on nothing."""
        held_s = elapsed = 0.0
        stop_at = 0.0
        while held_s < SETTLE_S and elapsed < timeout:
            elapsed += self._dt
            if self.scene.grasped(group, self.arm.name):
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
            if self.opening == opening and not self.scene.groups_touch(group, f"{self.arm.name}_fingers"):
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
        return self.scene.grasped(group, self.arm.name)

    def _shares(self, duration: float, patience: float, arrived: Condition) -> Iterator[float]:
        duration = max(self._pace.shortest, duration)
        elapsed = 0.0
        while elapsed < duration + patience:
            elapsed += self._dt
            self.moving = elapsed < duration
            yield _minimum_jerk(min(1.0, elapsed / duration))
            if not self.moving and arrived():
                break
        self.moving = False

    def _step(self, opening: float | None) -> Motion:
        if opening is not None:
            self._turn_gripper(opening)
        yield

    def _joints_at(self, goal: Pose) -> FloatArray:
        seeds = [np.array(posture) for posture in (self.arm.home, *self.arm.ik_seeds)]
        found = self._kinematics.solve(goal, self.joints, seeds)
        # Out of reach: as near as it gets, so that the attempt fails in the open.
        return self._kinematics.inverse(self.joints, goal, iterations=60) if found is None else found

    def _turn_gripper(self, opening: float) -> None:
        change = self._pace.gripper * self._dt
        self.opening += float(np.clip(opening - self.opening, -change, change))

    def _measured_opening(self) -> float:
        gripper = self.arm.gripper
        position = float(self.scene.data.joint(gripper.joint).qpos[0])
        return (position - gripper.closed) / (gripper.opened - gripper.closed)


def _near(a: Pose, b: Pose, tolerance: float = 1.0) -> bool:
    turned = rotation_between(a.quaternion, b.quaternion)
    distance = np.linalg.norm(a.position - b.position)
    return bool(distance < tolerance * ARRIVED and np.linalg.norm(turned) < tolerance * ARRIVED_ANGLE)


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


# FOLDED scripted_policies.grasps: Tool orientations for grasping, by heading and pitch.


def tool_orientation(heading: float, pitch: float, roll: float = 0.0) -> FloatArray:
    """Quaternion (wxyz) of a tool that points along `heading` [rad] about the vertical, nose down by `pitch` [rad].

    At pitch pi/2 the tool points straight down. `roll` turns it about its own forward axis.
    """
    return quaternion_product(
        quaternion_about((0, 0, 1), heading), quaternion_about((0, 1, 0), pitch), quaternion_about((1, 0, 0), roll)
    )


def heading_along(pose: Pose, forward: float, symmetry: float) -> float:
    """The heading [rad] nearest to `forward` along which an object of that rotational symmetry can be grasped.

    Args:
        pose: The object, whose x axis lies level.
        forward: The heading the arm likes best [rad].
        symmetry: Angle after which the object looks the same: pi/2 for a cube, pi for a peg [rad].
    """
    axis = pose.axis(0)
    yaw = math.atan2(axis[1], axis[0])
    return forward + (yaw - forward + symmetry / 2) % symmetry - symmetry / 2


def level(pose: Pose) -> bool:
    """Whether the object's x axis lies within about 3 degrees of level."""
    return bool(abs(pose.axis(0)[2]) < 0.05)


def offset_along(heading: float, distance: float) -> FloatArray:
    """A level vector (3,) [m] along a heading [rad]."""
    return distance * np.array([math.cos(heading), math.sin(heading), 0.0])
