"""From where the hand is and where it should be to a delta action. Pure but for the smoothing between steps."""

import numpy as np

from ambidex.envs.simulation.pose import Pose, rotation_between
from ambidex.envs.types import FloatArray

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
