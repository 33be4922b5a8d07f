"""Motions of one arm, for experts of two-armed tasks.

Each motion is a generator that yields once per control step and ends on a condition (arrival, contact, release) or a
timeout; an expert chains them with `yield from`. The functions at the end of the file build tool orientations.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ambidex.envs.controllers.ee_delta import Servos
from ambidex.envs.robot import Arm
from ambidex.envs.simulation.kinematics import Kinematics
from ambidex.envs.simulation.pose import (
    Pose,
    angle_between,
    norm,
    quaternion_about,
    quaternion_product,
    rotation_between,
)
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import FloatArray

Motion = Iterator[None]
Goal = Callable[[], Pose]
Path = Callable[[float], Pose]  # the pose at a share of the way, 0 to 1
Condition = Callable[[], bool]

ARRIVED = 0.004  # [m]
ARRIVED_ANGLE = 0.06  # [rad]
SMOOTHING = 0.2  # share of the distance to a moving goal that is covered per control step: a measured goal trembles
SQUEEZE = 16.0  # force of the gripper on what it holds [N]
LEAD = 0.95  # share of the speed limits for motion and lag; the rest is for the weight, which changes on the way
SETTLE_S = 0.12  # how long contact must last to count as a grasp [s]


@dataclass(frozen=True, kw_only=True)
class ArmSpeeds:
    """How fast an arm moves; well inside what the real servos follow.

    Attributes:
        linear: Mean speed of the tool [m/s].
        angular: Mean turning speed of the tool [rad/s].
        joint: Mean speed of the joint that moves most, in `ArmMotion.move_joints` [rad/s].
        gripper: Opening rate [1/s].
        min_duration: Shortest duration of a motion [s].
    """

    linear: float = 0.28
    angular: float = 1.2
    joint: float = 1.3
    gripper: float = 2.5
    min_duration: float = 0.4


class ArmMotion:
    """The reference of one arm (joints and gripper opening), and the motions that change it.

    Arguments of several motions: `goal` is a pose of the tool centre point in the world, `opening` the gripper opening
    to reach on the way (None leaves it as it is), `speed` a factor on the usual speed, and `timeout` how long to wait
    for the condition [s]; of a move, for arrival after the end of its profile.

    Attributes:
        joints: Reference of the joints, shape (joints,) [rad].
        opening: Reference of the gripper, 0 closed to 1 open.
        moving: Whether the joint reference is moving; if not, the arm settles on it.
        pressing: Whether the arm presses against something, so that it cannot settle on its reference.
    """

    def __init__(self, scene: Scene, arm: Arm, kinematics: Kinematics, control_hz: float, speeds: ArmSpeeds) -> None:
        self.scene = scene
        self.arm = arm
        self.joints: FloatArray = np.array(arm.home)
        self.opening = self._measured_opening()
        self.moving = self.pressing = False
        self._kinematics = kinematics
        self._dt = 1.0 / control_hz
        self._speeds = speeds
        self._lags = Servos(scene.model, arm).lags
        gripper, stiffness = arm.gripper, float(scene.model.actuator(arm.gripper.actuator).gainprm[0])
        self._squeeze = SQUEEZE / stiffness / (gripper.opened - gripper.closed)  # of the command beyond first contact
        self._max_speeds = arm.max_steps(control_hz) * control_hz

    @property
    def reference_pose(self) -> Pose:
        """Pose of the tool centre point at the joint reference."""
        return self._kinematics.forward(self.joints)

    @property
    def tool_pose(self) -> Pose:
        """Measured pose of the tool centre point."""
        return self.scene.site_pose(self.arm.tcp_site)

    def holds(self, group: str) -> bool:
        """Whether both fingers touch a contact group of the task, such as "cube"."""
        return self.scene.grasped(group, self.arm.name)

    def move_joints(
        self, goal: Pose, *, opening: float | None = None, speed: float = 1.0, timeout: float = 0.6
    ) -> Motion:
        """Move the tool to a goal through free space, each joint along a minimum-jerk profile; ends on arrival.

        A joint path passes wrist singularities smoothly, where a straight line of the tool cannot.
        """
        start, end = self.joints, self._joints_at(goal)
        by_joints = float(np.abs(end - start).max()) / self._speeds.joint
        duration = max(self.duration(self.reference_pose, goal), by_joints) / speed
        duration = self._slowed(end - start, max(duration, self._speeds.min_duration))
        for share in self._profile(duration, timeout, lambda: _is_near(self.tool_pose, goal)):
            self.joints = start + share * (end - start)
            self._move_gripper(opening)
            yield

    def move_straight(
        self, goal: Goal, *, opening: float | None = None, speed: float = 1.0, timeout: float = 0.6
    ) -> Motion:
        """Move the tool on a straight line, along a minimum-jerk profile, to a goal that may move; ends on arrival."""
        start = self.reference_pose
        return self.follow(lambda share: interpolate(start, goal(), share), opening, speed, timeout)

    def follow(
        self,
        path: Path,
        opening: float | None = None,
        speed: float = 1.0,
        timeout: float = 0.6,
        duration: float | None = None,
    ) -> Motion:
        """Move the tool along a path that begins at its reference, along a minimum-jerk profile; ends on arrival.

        The duration [s] is by default that of a straight line between the ends.
        """
        smoothed = self.reference_pose
        max_step = self.arm.max_steps(1.0 / self._dt)

        def arrived() -> bool:
            return _is_near(self.reference_pose, path(1.0), 0.5) and _is_near(self.tool_pose, path(1.0))

        duration = self.duration(path(0.0), path(1.0)) / speed if duration is None else duration
        for share in self._profile(duration, timeout, arrived):
            smoothed = interpolate(smoothed, path(share), SMOOTHING)
            self.joints = self._kinematics.inverse(self.joints, smoothed, max_step=max_step)
            self._move_gripper(opening)
            yield

    def grasp(self, group: str, *, timeout: float = 0.9) -> Motion:
        """Close until both fingers have held the group for a moment."""
        held_s = stop_at = 0.0
        for _ in self._clock(timeout):
            if held_s >= SETTLE_S:
                return
            if self.holds(group):
                stop_at = stop_at or max(0.0, self._measured_opening() - self._squeeze)
                held_s += self._dt
            else:
                held_s = 0.0
            self._move_gripper(stop_at)
            yield

    def release(self, group: str, *, opening: float = 1.0, timeout: float = 0.9) -> Motion:
        """Open until the gripper is as open as asked and no finger of this arm touches the group."""
        for _ in self._clock(timeout):
            self._move_gripper(opening)
            if self.opening == opening and not self.scene.groups_touch(group, f"{self.arm.name}_fingers"):
                return
            yield

    def wait_until(self, condition: Condition, *, timeout: float) -> Motion:
        """Stay until the condition holds."""
        for _ in self._clock(timeout):
            if condition():
                return
            yield

    def wait(self, duration: float) -> Motion:
        """Stay for a duration [s]."""
        for _ in self._clock(duration):
            yield

    def _clock(self, duration: float) -> Iterator[float]:
        """The time since the call at each control step [s]."""
        elapsed = 0.0
        while elapsed < duration:
            elapsed += self._dt
            yield elapsed

    def _profile(self, duration: float, timeout: float, arrived: Condition) -> Iterator[float]:
        """Shares of the way, 0 to 1, one per control step."""
        duration = max(self._speeds.min_duration, duration)
        for elapsed in self._clock(duration + timeout):
            self.moving = elapsed < duration
            yield _minimum_jerk(min(1.0, elapsed / duration))
            if not self.moving and arrived():
                break
        self.moving = False

    def duration(self, start: Pose, goal: Pose) -> float:
        """How long a straight motion of the tool takes at the usual speed [s]."""
        distance = norm(goal.position - start.position)
        return max(distance / self._speeds.linear, angle_between(start, goal) / self._speeds.angular)

    def _slowed(self, change: FloatArray, duration: float) -> float:
        """The duration, or a longer one in which commands that lead by the servos' lag keep to the speed limits [s]."""
        share = np.linspace(0.0, 1.0, 51)[:, None]
        velocity = 30.0 * (share * (1.0 - share)) ** 2  # derivatives of the minimum-jerk profile
        acceleration = 60.0 * share * (1.0 - share) * (1.0 - 2.0 * share)
        limits = LEAD * self._max_speeds
        while (np.abs(change * (velocity + self._lags / duration * acceleration)) > duration * limits).any():
            duration *= 1.02
        return duration

    def _joints_at(self, goal: Pose) -> FloatArray:
        seeds = [np.array(posture) for posture in (self.arm.home, *self.arm.ik_seeds)]
        found = self._kinematics.solve(goal, self.joints, seeds)
        # A goal out of reach is approached as far as possible: the attempt then fails visibly.
        return self._kinematics.inverse(self.joints, goal, iterations=60) if found is None else found

    def _move_gripper(self, opening: float | None) -> None:
        if opening is not None:
            max_change = self._speeds.gripper * self._dt
            self.opening += min(max(opening - self.opening, -max_change), max_change)

    def _measured_opening(self) -> float:
        gripper = self.arm.gripper
        return (self.scene.joint_position(gripper.joint) - gripper.closed) / (gripper.opened - gripper.closed)


def _is_near(a: Pose, b: Pose, tolerance: float = 1.0) -> bool:
    distance = norm(a.position - b.position)
    return bool(distance < tolerance * ARRIVED and angle_between(a, b) < tolerance * ARRIVED_ANGLE)


def _minimum_jerk(share: float) -> float:
    return share**3 * (10.0 - 15.0 * share + 6.0 * share**2)


def interpolate(start: Pose, goal: Pose, share: float) -> Pose:
    """The pose at a share of the way between two, 0 to 1, turning about one axis."""
    rotation = rotation_between(start.quaternion, goal.quaternion)
    angle = norm(rotation)
    quaternion = start.quaternion
    if angle > 1e-9:
        quaternion = quaternion_product(quaternion_about(rotation / angle, angle * share), quaternion)
    return Pose(start.position + share * (goal.position - start.position), quaternion)


def tool_orientation(heading: float, pitch: float, roll: float = 0.0) -> FloatArray:
    """Quaternion (wxyz) of a tool that points along a heading.

    Args:
        heading: Angle about the vertical, 0 along the world's x axis [rad].
        pitch: How far the tool points down: 0 level, pi/2 straight down [rad].
        roll: Angle about the tool's own forward axis [rad].
    """
    return quaternion_product(
        quaternion_about((0, 0, 1), heading), quaternion_about((0, 1, 0), pitch), quaternion_about((1, 0, 0), roll)
    )


def grasp_heading(pose: Pose, preferred: float, symmetry: float) -> float:
    """The heading [rad] nearest to `preferred` along which an object with rotational symmetry can be grasped.

    Args:
        pose: Pose of the object, its x axis level.
        preferred: Preferred heading of the arm [rad].
        symmetry: Angle after which the object looks the same: pi/2 for a cube, pi for a peg [rad].
    """
    axis = pose.axis(0)
    yaw = math.atan2(axis[1], axis[0])
    return preferred + (yaw - preferred + symmetry / 2) % symmetry - symmetry / 2


def level_offset(heading: float, distance: float) -> FloatArray:
    """A level vector (3,) [m] along a heading [rad]."""
    return distance * np.array([math.cos(heading), math.sin(heading), 0.0])
