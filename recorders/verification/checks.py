"""The result of verifying an episode, and the checks of its frames and states."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ambidex.envs.types import Drawn, FloatArray
from ambidex.errors import DatasetError
from ambidex.recorders.dataset.episode import StoredEpisode
from ambidex.text import first_few

STEP_TOLERANCE = 1e-8
"""Largest difference of any number of a state [m, rad, m/s, rad/s] after one step that other arithmetic explains: other
processors round differently in the last bits. Measured without FMA and AVX2: 1e-11 at most."""


@dataclass(frozen=True, kw_only=True)
class FrameReport:
    """The result of reading all frames of an episode.

    Attributes:
        count: Number of frames.
        damaged: How many of them cannot be read, or differ from their checksum.
        unchecked: How many of them could be read, but have no checksum.
        message: One paragraph on those: the frames of each camera, and the first error; empty if there are none.
    """

    count: int
    damaged: int
    unchecked: int
    message: str

    @property
    def intact(self) -> bool:
        """No frame is damaged."""
        return self.damaged == 0

    def __str__(self) -> str:
        """For a table; "-" where there are no frames."""
        if not self.count:
            return "-"
        if self.damaged or not self.unchecked:
            return "intact" if self.intact else f"{self.damaged} of {self.count} damaged"
        return "unchecked" if self.unchecked == self.count else f"{self.unchecked} of {self.count} unchecked"


def check_frames(stored: StoredEpisode) -> FrameReport:
    """Read every frame of an open episode, compare it with its checksum, and decode it."""
    errors = {camera: _frame_errors(stored, camera) for camera in stored.cameras}
    damaged = {camera: found for camera, found in errors.items() if found}
    message = ""
    if damaged:
        listed = "; ".join(_listed(camera, [*found]) for camera, found in damaged.items())
        first = next(iter(next(iter(damaged.values())).values()))
        message = f"Damaged images, {listed}: {first}"
    unchecked = sum(stored.steps - len(errors[camera]) for camera in errors if not stored.has_checksums(camera))
    return FrameReport(
        count=len(errors) * stored.steps,
        damaged=sum(map(len, damaged.values())),
        unchecked=unchecked,
        message=message,
    )


@dataclass(frozen=True, kw_only=True)
class ReplayedStates:
    """How the states of an episode differ from those that its actions give when they are replayed.

    Attributes:
        first_difference: First state that differs from the recorded one; None if all T+1 are the same bit for bit.
        largest_difference: Largest absolute difference of any number in any state.
        largest_step_difference: The same if every step starts from the recorded state before it, so that differences do
            not grow from step to step; 0 if all states are the same.
    """

    first_difference: int | None
    largest_difference: float
    largest_step_difference: float

    @property
    def same(self) -> bool:
        """All states are the same bit for bit."""
        return self.first_difference is None

    @property
    def consistent(self) -> bool:
        """Each state follows from the recorded one before it, within `STEP_TOLERANCE`."""
        return self.largest_step_difference <= STEP_TOLERANCE

    def __str__(self) -> str:
        """For a table."""
        if self.same:
            return "same"
        if self.consistent:
            return f"other arithmetic, {self.largest_step_difference:.2g} per step"
        return f"differ from {self.first_difference} by {self.largest_difference:.2g}"


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The result of replaying an episode's actions from its first state, and of reading its frames.

    The states compared are those of the control mode in which it was recorded.

    Attributes:
        path: The episode's file.
        seed: Episode seed.
        recorded_success: The success stored in the file.
        states: How its states differ from those of the replay.
        joint_success: Success of its joint actions under joint control.
        ee_success: Success of its end-effector actions under end-effector control; None if not replayed, or if there
            are none.
        frames: The result of reading its frames; None if they were not read.
        draws: One line per axis of perturbation whose stored level and values are not those that are drawn now.
        notes: Differences from the recording that need not matter, e.g. the MuJoCo version.
    """

    path: Path
    seed: int
    recorded_success: bool
    states: ReplayedStates
    joint_success: bool
    ee_success: bool | None
    frames: FrameReport | None
    draws: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def same_success(self) -> bool:
        """The joint actions gave the recorded success."""
        return self.joint_success == self.recorded_success

    @property
    def same_ee_success(self) -> bool:
        """The end-effector actions gave the recorded success, or were not replayed."""
        return self.ee_success in (None, self.recorded_success)

    @property
    def intact_frames(self) -> bool:
        """No frame is damaged, or none was read."""
        return self.frames is None or self.frames.intact

    @property
    def reproduces(self) -> bool:
        """States, up to other arithmetic, success and draws are the recorded ones, and no frame is damaged."""
        same = self.states.consistent and self.same_success and self.same_ee_success and not self.draws
        return same and self.intact_frames


def state_differences(recorded: FloatArray, replayed: FloatArray) -> tuple[int | None, float]:
    """First state that differs from the recorded one in any bit, and the largest absolute difference of all.

    If one of the two has fewer states, the first that it lacks differs.
    """
    both = min(len(recorded), len(replayed))
    ours, theirs = np.ascontiguousarray(recorded[:both]), np.ascontiguousarray(replayed[:both])
    differing = (ours.view(np.uint64) != theirs.view(np.uint64)).any(axis=1)
    first = int(differing.argmax()) if differing.any() else None if len(recorded) == len(replayed) else both
    return first, float(np.abs(ours - theirs).max(initial=0.0))


def draw_differences(stored: Mapping[str, Drawn], now: Mapping[str, Drawn]) -> list[str]:
    """One line per axis of perturbation whose stored values are not those that are drawn now."""
    return [
        f"{axis} of perturbed was {stored.get(axis)}, now {now.get(axis)}"
        for axis in sorted({*stored, *now})
        if not _same_draw(stored.get(axis), now.get(axis))
    ]


def _same_draw(stored: Drawn | None, now: Drawn | None) -> bool:
    """Whether all values drawn now are the stored ones; a playback does not choose a direction of robot_start anew."""
    if stored is None or now is None:
        return False
    return all(_same_value(stored.get(name), value) for name, value in now.items())


def _same_value(stored: float | str | None, now: float | str) -> bool:
    if isinstance(stored, str) or isinstance(now, str) or stored is None:
        return stored == now
    return math.isclose(stored, now, rel_tol=1e-9, abs_tol=1e-12)


def _frame_errors(stored: StoredEpisode, camera: str) -> dict[int, str]:
    """Frame -> its error, of the damaged ones."""
    found = {}
    for t in range(stored.steps):
        try:
            stored.frame(camera, t)
        except DatasetError as error:
            found[t] = str(error)
    return found


def _listed(camera: str, frames: list[int]) -> str:
    noun = "frame" if len(frames) == 1 else "frames"
    return f"{camera} {noun} {first_few([*map(str, frames)], limit=5, separator=', ')}"
