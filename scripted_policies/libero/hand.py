"""Motions of the Panda's hand under delta control, and the servo that turns poses into delta actions.

Each motion is a generator that yields once per control step, ends on a condition, and returns whether it succeeded.
"""

from collections.abc import Callable, Generator, Sequence

import numpy as np

from ambidex.envs.robot import Arm
from ambidex.envs.simulation.pose import Pose, angle_between, norm, rotation_between
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import Float32Array, FloatArray
from ambidex.scripted_policies.libero.geometry import advanced

Motion = Generator[None, None, bool]
Goal = Pose | Callable[[], Pose]
Condition = Callable[[], bool]

ARRIVED, ARRIVED_ANGLE = 0.004, 0.05  # [m, rad]
SLOW = 0.0015  # how far a hand moves per step, at most, that has slowed down [m]
PASSED, PASSED_ANGLE = 0.03, 0.3  # how near a waypoint has to be passed [m, rad]
NEAR, NEAR_ANGLE = 0.012, 0.12  # how near a route ends to its last waypoint, unless it has to be exact [m, rad]
STALLED_STEPS, SLOWED_STEPS = 10, 7  # without progress, the second of a hand that has to slow down
PROGRESS = 0.0008  # what counts as progress, in metres with a radian as 0.1 m
CLOSE, OPEN, HOLD = 1.0, -1.0, 0.0
OVERRUN = 0.012  # how far the fingers still close in the step in which they are stopped [m]
GRIP_STEPS = 14  # at most, for the fingers to arrive
STILL = 0.0004  # change of the gap per step below which the fingers have arrived [m]

METRES_PER_STEP = 0.012  # how far a full-scale action moves the hand in steady motion (facts/osc_response.json) [m]
RADIANS_PER_STEP = 0.12  # likewise for a full-scale rotation [rad]
GAIN, ANGULAR_GAIN = 0.36, 0.3  # share of the remaining error covered per step; the arm responds one step late
MAX_ROTATION = 0.55  # largest rotation action: faster, the hand overshoots
MAX_CHANGE = 0.3  # largest change of each action dimension per step
NEGLIGIBLE_ANGLE = 0.004  # below this the orientation is not corrected [rad]


class Hand:
    """The next action of the hand, and the motions that set it.

    Attributes:
        grip: CLOSE, OPEN or HOLD.
        speed: Largest linear action, 0 to 1; motions may ask for a share of it.
    """

    def __init__(self, scene: Scene, arm: Arm) -> None:
        self._scene = scene
        self._arm = arm
        self._servo = HandServo()
        self.reset(1.0)

    def reset(self, speed: float) -> None:
        """Start an episode."""
        self._servo.reset()
        self._twist: FloatArray = np.zeros(6)
        self.grip, self.speed = OPEN, speed

    def action(self) -> Float32Array:
        """The action of this step, shape (7,) float32."""
        return np.append(self._twist, self.grip).astype(np.float32)

    @property
    def tool_pose(self) -> Pose:
        """Measured pose of the grip site."""
        return self._scene.site_pose(self._arm.tcp_site)

    def gap(self) -> float:
        """Distance between the finger pads [m]."""
        gripper = self._arm.gripper
        fingers = [self._scene.joint_position(name) for name in (gripper.joint, gripper.mirror_joint)]
        return abs(fingers[0] - fingers[1])

    def move_to(
        self,
        goal: Goal,
        *,
        tolerance: float = ARRIVED,
        angle_tolerance: float = ARRIVED_ANGLE,
        speed: float = 1.0,
        timeout: int = 100,
        until: Condition | None = None,
        slowed: bool = False,
    ) -> Motion:
        """Move straight to a goal, which may move; true on arrival or as soon as `until` holds.

        A hand that has to have `slowed` down has arrived when it moves by less than SLOW per step.

        Ends as well when the hand gets no nearer to a fixed goal, or after `timeout` steps.
        """
        best, since, before = np.inf, 0, np.full(3, np.inf)
        for _ in range(timeout):
            target, here = goal() if callable(goal) else goal, self.tool_pose
            distance, angle = norm(target.position - here.position), angle_between(here, target)
            passing, before = slowed and norm(here.position - before) > SLOW, here.position
            arrived = distance < tolerance and angle < angle_tolerance and not passing
            if arrived or (until is not None and until()):
                return True
            remaining = distance + 0.1 * angle
            best, since = (remaining, 0) if remaining < best - PROGRESS else (best, since + 1)
            if since >= (SLOWED_STEPS if slowed else STALLED_STEPS) and not callable(goal):
                return False
            self._twist = self._servo.twist(here, target, speed * self.speed)
            yield
        return False

    def follow(self, waypoints: Sequence[Pose], *, exact: bool = False) -> Motion:
        """Pass all waypoints but the last without stopping, and end near the last one or exactly there."""
        for waypoint in waypoints[:-1]:
            yield from self.move_to(waypoint, tolerance=PASSED, angle_tolerance=PASSED_ANGLE)
        if exact:
            return (yield from self.move_to(waypoints[-1], slowed=True))
        return (yield from self.move_to(waypoints[-1], tolerance=NEAR, angle_tolerance=NEAR_ANGLE))

    def retreat(self, distance: float) -> Motion:
        """Move back along the direction in which the hand points [m]."""
        away = advanced(self.tool_pose, -distance)
        return (yield from self.move_to(away, tolerance=0.02, angle_tolerance=1.0))

    def release(self, distance: float) -> Motion:
        """Open the fingers, and retreat."""
        yield from self.open()
        return (yield from self.retreat(distance))

    def close(self) -> Motion:
        """Close the fingers until they stop moving, with the hand where it is."""
        return (yield from self._move_fingers(CLOSE, 4))

    def open(self) -> Motion:
        """Open the fingers until they stop moving, with the hand where it is."""
        return (yield from self._move_fingers(OPEN, 3))

    def close_to(self, gap: float) -> Motion:
        """Close the fingers to a gap [m] and keep them there."""
        self.grip = CLOSE
        yield from self.wait(GRIP_STEPS, until=lambda: self.gap() < gap + OVERRUN)
        self.grip = HOLD
        return True

    def wait(self, steps: int, until: Condition | None = None) -> Motion:
        """Stay for a number of steps; with `until`, true as soon as it holds and false if it never does."""
        here = self.tool_pose
        for _ in range(steps):
            if until is not None and until():
                return True
            self._twist = self._servo.twist(self.tool_pose, here, self.speed)
            yield
        return until is None

    def _move_fingers(self, grip: float, min_steps: int) -> Motion:
        here, gap = self.tool_pose, self.gap()
        self.grip = grip
        for step in range(GRIP_STEPS):
            self._twist = self._servo.twist(self.tool_pose, here, self.speed)
            yield
            if step >= min_steps and abs(self.gap() - gap) < STILL:
                return True
            gap = self.gap()
        return False


class HandServo:
    """Drives the hand to a target pose with actions in [-1, 1] that change gradually."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start at rest."""
        self._last = np.zeros(6)

    def twist(self, here: Pose, target: Pose, speed: float = 1.0) -> FloatArray:
        """The delta actions (6,) from the measured pose of the tool towards a target, linear ones at most `speed`."""
        linear = _limited(GAIN / METRES_PER_STEP * (target.position - here.position), speed)
        rotation = rotation_between(here.quaternion, target.quaternion)
        if norm(rotation) < NEGLIGIBLE_ANGLE:
            rotation = np.zeros(3)
        angular = _limited(ANGULAR_GAIN / RADIANS_PER_STEP * rotation, min(MAX_ROTATION, speed))
        change = np.concatenate([linear, angular]) - self._last
        self._last = self._last + change.clip(-MAX_CHANGE, MAX_CHANGE)
        return self._last.copy()


def _limited(vector: FloatArray, largest: float) -> FloatArray:
    """The vector, scaled down if a component is larger than allowed."""
    excess = float(np.abs(vector).max()) / largest
    return np.asarray(vector / max(1.0, excess))
