"""Where the arm's joints would be for a pose of the hand, if it can get there."""

from collections.abc import Callable, Sequence

import numpy as np

from ambidex.envs.robot import Arm, Robot
from ambidex.envs.simulation.kinematics import IkSettings, Kinematics
from ambidex.envs.simulation.pose import Pose, rotation_between
from ambidex.envs.types import FloatArray

POSTURE = 1e-5  # pull towards the home posture, which the arm's control has as well [m^2/rad^2]
REACHED = 0.003  # [m]
REACHED_TURN = 0.03  # [rad]
LIMIT_MARGIN = 0.06  # distance to keep from joint limits [rad]
CONVERGED = 1e-3  # weighted error at which to stop [m]
ITERATIONS = 15
MOST = 2000  # answers worked out per plan; after them nothing is in reach, so that a hopeless plan ends
TURN_WEIGHTS = np.array([1.0, 1.0, 1.0, 0.2, 0.2, 0.2])


class Reach:
    """Inverse kinematics of one arm, near where it is.

    A plan asks the same again and again, as it grows less strict, so answers are remembered as long as it lasts.

    Args:
        robot: The robot.
        arm: Its arm.
        plan: Number of the present plan.
    """

    def __init__(self, robot: Robot, arm: Arm, plan: Callable[[], int]) -> None:
        self._kinematics = Kinematics(robot, arm, IkSettings(posture=POSTURE, tolerance=CONVERGED))
        self._home = np.array(arm.home)
        self._plan, self._number = plan, plan()
        self._answers: dict[tuple[bytes, bytes, bytes], FloatArray | None] = {}

    def along(self, tools: Sequence[Pose], near: FloatArray) -> FloatArray | None:
        """Joints (7,) [rad] at the last of several poses, reached one after the other from `near` without a jump."""
        here: FloatArray | None = near
        for tool in tools:
            here = None if here is None else self.joints(tool, here, continuous=True)
        return here

    def joints(self, tool: Pose, near: FloatArray, *, continuous: bool = False) -> FloatArray | None:
        """Joints (7,) [rad] that bring the tool there; None if out of reach.

        Args:
            tool: Where to.
            near: Joints to begin from, shape (7,) [rad].
            continuous: Stay near them; otherwise the home posture is tried as well.
        """
        for start in (near,) if continuous else (near, self._home):
            found = self._from(start, tool)
            if found is not None:
                return found
        return None

    def agility(self, joints: FloatArray) -> float:
        """How well the hand moves in its worst direction: least singular value, with a radian as 0.2 m [m/rad]."""
        jacobian = self._kinematics.jacobian(joints) * TURN_WEIGHTS[:, None]
        return float(np.linalg.svd(jacobian, compute_uv=False)[-1])

    def _from(self, start: FloatArray, tool: Pose) -> FloatArray | None:
        """Joints found from others, both (7,) [rad], read-only; None if they do not bring the tool there."""
        if self._number != self._plan():
            self._number = self._plan()
            self._answers.clear()
        question = start.tobytes(), tool.position.tobytes(), tool.quaternion.tobytes()
        if question not in self._answers:
            if len(self._answers) >= MOST:
                return None
            found = self._kinematics.inverse(start, tool, iterations=ITERATIONS)
            found.flags.writeable = False
            self._answers[question] = found if self._reaches(found, tool) else None
        return self._answers[question]

    def _reaches(self, joints: FloatArray, tool: Pose) -> bool:
        here = self._kinematics.forward(joints)
        margin = np.minimum(joints - self._kinematics.low, self._kinematics.high - joints).min()
        near = np.linalg.norm(here.position - tool.position) < REACHED
        turned = np.linalg.norm(rotation_between(here.quaternion, tool.quaternion))
        return bool(near and turned < REACHED_TURN and margin > LIMIT_MARGIN)
