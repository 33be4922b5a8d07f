"""Whether an episode can be reproduced from its actions, and is whole."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ambidex.envs.types import Episode, FloatArray
from ambidex.errors import DatasetError
from ambidex.recorders.dataset.episode import StoredEpisode

# FOLDED recorders.pictures: Are the stored pictures of an episode whole?

SHOWN = 5  # damaged frames of a camera that are named


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """What reading the pictures of an episode gave.

    Attributes:
        count: How many there are.
        damaged: How many of them cannot be read, or differ from their checksum.
        said: One paragraph on those: the first error, and the frames of each camera; empty if there are none.
    """

    count: int
    damaged: int
    said: str

    @property
    def whole(self) -> bool:
        """None is damaged."""
        return self.damaged == 0

    @property
    def in_words(self) -> str:
        """For a table; "-" where there are no pictures."""
        if not self.count:
            return "-"
        return "whole" if self.whole else f"{self.damaged} of {self.count} damaged"


def check_pictures(stored: StoredEpisode) -> Pictures:
    """Read every picture of an open episode against its checksum, and decode it."""
    errors = {camera: _errors(stored, camera) for camera in stored.cameras}
    damaged = {camera: found for camera, found in errors.items() if found}
    said = ""
    if damaged:
        first = next(iter(next(iter(damaged.values())).values()))
        said = f"Damaged pictures, {'; '.join(_named(camera, [*found]) for camera, found in damaged.items())}: {first}"
    return Pictures(count=len(errors) * stored.steps, damaged=sum(map(len, damaged.values())), said=said)


def _errors(stored: StoredEpisode, camera: str) -> dict[int, str]:
    """Frame -> what is wrong with it."""
    found = {}
    for t in range(stored.steps):
        try:
            stored.frame(camera, t)
        except DatasetError as error:
            found[t] = str(error)
    return found


def _named(camera: str, frames: list[int]) -> str:
    more = f" and {len(frames) - SHOWN} more" if len(frames) > SHOWN else ""
    plural = "frame" if len(frames) == 1 else "frames"
    return f"{camera} {plural} {', '.join(map(str, frames[:SHOWN]))}{more}"


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
