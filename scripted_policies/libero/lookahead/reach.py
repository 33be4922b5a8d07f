"""Inverse kinematics for planning: joints of the arm for a pose of the tool, if it can get there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ambidex.envs.robot import Arm, Robot
from ambidex.envs.simulation.kinematics import IkSettings, Kinematics
from ambidex.envs.simulation.pose import Pose, angle_between
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.geometry import poses_between
from ambidex.scripted_policies.libero.lookahead.collision import CollisionChecker

POSTURE = 1e-5  # pull towards the home posture, as in the arm's controller [m^2/rad^2]
REACHED, REACHED_ANGLE = 0.003, 0.03  # [m, rad]
LIMIT_MARGIN = 0.06  # distance to keep from joint limits [rad]
CONVERGED = 1e-3  # weighted error at which to stop [m]
ITERATIONS = 15
MAX_SOLUTIONS = 2000  # computed until the next `sync`; then nothing counts as in reach, so that a futile search ends
ROTATION_WEIGHTS = np.array([1.0, 1.0, 1.0, 0.2, 0.2, 0.2])


@dataclass(frozen=True, eq=False)
class ArmPosture:
    """A pose of the tool in the world, and the joints (7,) [rad] with which the arm reaches it."""

    tool: Pose
    joints: FloatArray


class ReachChecker:
    """Inverse kinematics of one arm, near a given posture.

    A search asks for the same poses again as it relaxes its margins, so solutions are cached until `sync`.
    """

    def __init__(self, robot: Robot, arm: Arm, collisions: CollisionChecker) -> None:
        self._kinematics = Kinematics(robot, arm, IkSettings(posture=POSTURE, tolerance=CONVERGED))
        self._home = np.array(arm.home)
        self._collisions = collisions
        self._solutions: dict[tuple[bytes, bytes, bytes], FloatArray | None] = collisions.new_cache()

    def joints_at(self, tool: Pose, near: FloatArray, *, continuous: bool = False) -> FloatArray | None:
        """Joints (7,) [rad] that bring the tool to a pose; None if out of reach.

        The search starts from the joints `near` and, unless it has to be `continuous`, from the home posture as well.
        """
        for start in (near,) if continuous else (near, self._home):
            found = self._solve(start, tool)
            if found is not None:
                return found
        return None

    def free_joints_at(
        self,
        tool: Pose,
        near: FloatArray,
        gap: float,
        *,
        continuous: bool = False,
        carried: str | None = None,
        ignored: Iterable[str] = (),
        cautious: bool = True,
    ) -> FloatArray | None:
        """`joints_at`, or None if the arm would collide there; the rest is as in `CollisionChecker.arm_collides`."""
        joints = self.joints_at(tool, near, continuous=continuous)
        check = self._collisions.arm_collides
        if joints is None or check(joints, gap, carried=carried, ignored=ignored, cautious=cautious):
            return None
        return joints

    def joints_along(self, tools: Sequence[Pose], near: FloatArray) -> FloatArray | None:
        """Joints (7,) [rad] at the last of several poses, reached one after the other without a jump; else None."""
        joints: FloatArray | None = near
        for tool in tools:
            joints = None if joints is None else self.joints_at(tool, joints, continuous=True)
        return joints

    def joints_on_line(self, start: ArmPosture, goal: Pose, stops: int) -> FloatArray | None:
        """Joints (7,) [rad] to which the controller brings the arm on a straight line of the tool.

        None if the limit of a joint stops it on the way.
        """
        return self.joints_along(poses_between(start.tool, goal, stops), start.joints)

    def turning_poses(self, start: FloatArray, goal: Pose, number: int) -> list[Pose]:
        """Poses of the tool while the joints go straight from `start` (7,) [rad] to those that reach a goal.

        For goals that a straight line of the tool does not reach, because a joint would turn beyond its limit; empty
        if the goal is out of reach.
        """
        end = self.joints_at(goal, self._home)
        shares = np.arange(1, number + 1) / number
        return [] if end is None else [self._kinematics.forward(start + share * (end - start)) for share in shares]

    def dexterity(self, joints: FloatArray) -> float:
        """Smallest singular value of the Jacobian, with a radian as 0.2 m: low where the arm only creeps [m/rad]."""
        jacobian = self._kinematics.jacobian(joints) * ROTATION_WEIGHTS[:, None]
        return float(np.linalg.svd(jacobian, compute_uv=False)[-1])

    def _solve(self, start: FloatArray, tool: Pose) -> FloatArray | None:
        """Read-only joints (7,) found from a start (7,), both [rad]; None if they do not reach the pose."""
        key = start.tobytes(), tool.position.tobytes(), tool.quaternion.tobytes()
        if key not in self._solutions:
            if len(self._solutions) >= MAX_SOLUTIONS:
                return None
            found = self._kinematics.inverse(start, tool, iterations=ITERATIONS)
            found.flags.writeable = False
            self._solutions[key] = found if self._reaches(found, tool) else None
        return self._solutions[key]

    def _reaches(self, joints: FloatArray, tool: Pose) -> bool:
        here = self._kinematics.forward(joints)
        margin = np.minimum(joints - self._kinematics.low, self._kinematics.high - joints).min()
        near = np.linalg.norm(here.position - tool.position) < REACHED
        return bool(near and angle_between(here, tool) < REACHED_ANGLE and margin > LIMIT_MARGIN)
