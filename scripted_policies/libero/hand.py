"""The motions of the hand. Each is a generator that yields once per control step and ends on a condition."""

from collections.abc import Callable, Generator, Sequence

import numpy as np

from ambidex.envs.robot import Arm
from ambidex.envs.simulation.pose import Pose, rotation_between
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.types import Float32Array, FloatArray

Motion = Generator[None, None, bool]
Goal = Pose | Callable[[], Pose]
Condition = Callable[[], bool]

ARRIVED = 0.004  # [m]
ARRIVED_TURN = 0.05  # [rad]
PASSED = 0.03  # how near a waypoint has to be passed [m]
PASSED_TURN = 0.3  # [rad]
NEAR, NEAR_TURN = 0.012, 0.12  # of the end of a way, from which something exact begins [m, rad]
STALLED_STEPS = 10  # without getting nearer
PROGRESS = 0.0008  # what counts as nearer, in metres with a radian as 0.1 m
CLOSE, OPEN, HOLD = 1.0, -1.0, 0.0
RUN_ON = 0.012  # [m]
GRIP_STEPS = 14  # at most, for the fingers to arrive
STILL = 0.0004  # change of the gap per step below which the fingers have arrived [m]


class Hand:
    """The hand's next action, and motions that set it.

    Attributes:
        grip: CLOSE, OPEN or HOLD.
    """

    def __init__(self, scene: Scene, arm: Arm) -> None:
        self._scene = scene
        self._arm = arm
        self._servo = HandServo()
        self._twist: FloatArray = np.zeros(6)
        self.grip = OPEN
        self.pace = 1.0

    def reset(self, pace: float) -> None:
        """Begin an episode.

        Args:
            pace: Largest linear action, 0 to 1.
        """
        self._servo.reset()
        self._twist, self.grip, self.pace = np.zeros(6), OPEN, pace

    def action(self) -> Float32Array:
        """The action of this step, shape (7,) float32."""
        return np.append(self._twist, self.grip).astype(np.float32)

    def tool(self) -> Pose:
        """The measured pose of the grip site."""
        return self._scene.site_pose(self._arm.tcp_site)

    def gap(self) -> float:
        """Distance between the finger pads [m]."""
        gripper = self._arm.gripper
        fingers = [float(self._scene.data.joint(name).qpos[0]) for name in (gripper.joint, gripper.mirror_joint)]
        return abs(fingers[0] - fingers[1])

    def reach(
        self,
        goal: Goal,
        *,
        tolerance: float = ARRIVED,
        turn_tolerance: float = ARRIVED_TURN,
        speed: float = 1.0,
        timeout: int = 100,
        until: Condition | None = None,
    ) -> Motion:
        """Go straight to a goal, which may move; true when arrived or when `until` holds.

        Ends as well when the hand gets no nearer to a goal that stands still, or at the time-out [steps].
        """
        best, since = np.inf, 0
        for _ in range(timeout):
            target, here = goal() if callable(goal) else goal, self.tool()
            distance = float(np.linalg.norm(target.position - here.position))
            angle = float(np.linalg.norm(rotation_between(here.quaternion, target.quaternion)))
            if (until is not None and until()) or (distance < tolerance and angle < turn_tolerance):
                return True
            remaining = distance + 0.1 * angle
            best, since = (remaining, 0) if remaining < best - PROGRESS else (best, since + 1)
            if since >= STALLED_STEPS and not callable(goal):
                return False
            self._twist = self._servo.twist(here, target, speed * self.pace)
            yield
        return False

    def follow(self, waypoints: Sequence[Pose], *, exact: bool = False) -> Motion:
        """Pass by all waypoints but the last without stopping, and come near the last, or exactly there."""
        for waypoint in waypoints[:-1]:
            yield from self.reach(waypoint, tolerance=PASSED, turn_tolerance=PASSED_TURN)
        if exact:
            return (yield from self.reach(waypoints[-1]))
        return (yield from self.reach(waypoints[-1], tolerance=NEAR, turn_tolerance=NEAR_TURN))

    def close(self, *, least: int = 4) -> Motion:
        """Close the fingers until they stand still; the hand stays where it is."""
        return (yield from self._turn_grip(CLOSE, least))

    def open(self, *, until: Condition | None = None) -> Motion:
        """Open the fingers until they stand still, or until a condition holds; the hand stays where it is."""
        return (yield from self._turn_grip(OPEN, 3, until))

    def narrow(self, opening: float) -> Motion:
        """Close the fingers as far as an opening [m] and hold them there."""
        here = self.tool()
        self.grip = CLOSE
        for _ in range(GRIP_STEPS):
            # The fingers run on for about a step.
            if self.gap() < opening + RUN_ON:
                break
            self._twist = self._servo.twist(self.tool(), here, self.pace)
            yield
        self.grip = HOLD
        return True

    def pause(self, steps: int, until: Condition | None = None) -> Motion:
        """Stay for a number of steps, or until a condition holds."""
        here = self.tool()
        for _ in range(steps):
            if until is not None and until():
                return True
            self._twist = self._servo.twist(self.tool(), here, self.pace)
            yield
        return until is None

    def _turn_grip(self, grip: float, least: int, until: Condition | None = None) -> Motion:
        here, gap = self.tool(), self.gap()
        self.grip = grip
        for step in range(GRIP_STEPS):
            self._twist = self._servo.twist(self.tool(), here, self.pace)
            yield
            still = step >= least and abs(self.gap() - gap) < STILL
            if still or (until is not None and until()):
                return True
            gap = self.gap()
        return False


# FOLDED scripted_policies.libero.hand_servo: From where the hand is and where it should be to a delta action. Pure but for the smoothing between steps.

METRES_PER_STEP = 0.012  # what a full-scale action moves the hand in steady motion (facts/osc_response.json) [m]
RADIANS_PER_STEP = 0.12  # likewise for a full-scale turn [rad]
APPROACH = 0.36  # share of the remaining way taken per step; the arm answers one step late
TURN_APPROACH = 0.3
MAX_TURN = 0.55  # largest turning action: faster, the hand overshoots
SLEW = 0.3  # largest change of any action dimension per step
NEGLIGIBLE_TURN = 0.004  # not worth re-basing the goal orientation for [rad]


class HandServo:
    """Drives the hand to a target pose with actions in [-1, 1] that change gradually."""

    def __init__(self) -> None:
        self._last = np.zeros(6)

    def reset(self) -> None:
        """Begin from rest."""
        self._last = np.zeros(6)

    def twist(self, here: Pose, target: Pose, speed: float = 1.0) -> FloatArray:
        """The six delta actions towards a target, shape (6,).

        Args:
            here: Measured pose of the tool.
            target: Where it should be.
            speed: Largest linear action, 0 to 1.
        """
        linear = _limited(APPROACH / METRES_PER_STEP * (target.position - here.position), speed)
        turn = rotation_between(here.quaternion, target.quaternion)
        if np.linalg.norm(turn) < NEGLIGIBLE_TURN:
            turn = np.zeros(3)
        angular = _limited(TURN_APPROACH / RADIANS_PER_STEP * turn, min(MAX_TURN, speed))
        return self._smoothed(np.concatenate([linear, angular]))

    def _smoothed(self, wanted: FloatArray) -> FloatArray:
        self._last = self._last + np.clip(wanted - self._last, -SLEW, SLEW)
        return self._last.copy()


def _limited(vector: FloatArray, largest: float) -> FloatArray:
    """The vector, shortened if a component is too large, in the same direction."""
    excess = float(np.abs(vector).max()) / largest
    return np.asarray(vector / max(1.0, excess))
