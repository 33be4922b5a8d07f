"""Whether an episode can be reproduced from its actions, and is whole."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ambidex.envs.types import Episode, FloatArray
from ambidex.recorders.pictures import Pictures


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What became of an episode's actions when they were replayed from its first state.

    The states are those of what was sent, under the control mode of the recording.

    Attributes:
        path: The episode's file.
        seed: Episode seed.
        recorded_success: What the file says.
        first_difference: First state that differs from the recorded one; None if all T+1 are the same bit for bit.
        largest_difference: Largest absolute difference of any number in any state.
        joint_success: What its joint actions gave under joint control.
        ee_success: What its end-effector actions gave under end-effector control; None if not tried, or if there are
            none.
        pictures: What reading its pictures gave; None if they were not looked at.
        notes: What was different then, e.g. the MuJoCo version.
    """

    path: Path
    seed: int
    recorded_success: bool
    first_difference: int | None
    largest_difference: float
    joint_success: bool
    ee_success: bool | None
    pictures: Pictures | None
    notes: tuple[str, ...]

    @property
    def same_states(self) -> bool:
        """The states came out the same bit for bit."""
        return self.first_difference is None

    @property
    def same_success(self) -> bool:
        """The joint actions had the recorded success."""
        return self.joint_success == self.recorded_success

    @property
    def same_ee_success(self) -> bool:
        """The end-effector actions had the recorded success, or were not tried."""
        return self.ee_success in (None, self.recorded_success)

    @property
    def whole_pictures(self) -> bool:
        """No picture is damaged, or none was looked at."""
        return self.pictures is None or self.pictures.whole

    @property
    def reproduces(self) -> bool:
        """All of it."""
        return self.same_states and self.same_success and self.same_ee_success and self.whole_pictures


def state_differences(episode: Episode, replayed: FloatArray) -> tuple[int | None, float]:
    """First state that is not the recorded one bit for bit, and the largest absolute difference anywhere."""
    recorded = np.ascontiguousarray(episode.states)
    differing = (recorded.view(np.uint64) != np.ascontiguousarray(replayed).view(np.uint64)).any(axis=1)
    first = int(differing.argmax()) if differing.any() else None
    return first, float(np.abs(recorded - replayed).max())
