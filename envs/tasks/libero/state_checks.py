"""Can a row of numbers be a state of this world? Stored initial states are checked before an episode begins there."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.envs.types import FloatArray
from ambidex.errors import DatasetError

NORM_SLACK = 0.01  # of a quaternion
# MuJoCo's limits are soft: something settled or pushed may stand a little beyond them.
SLACK = {mujoco.mjtJoint.mjJNT_SLIDE: 0.01, mujoco.mjtJoint.mjJNT_HINGE: 0.1}  # [m], [rad]


@dataclass(frozen=True, kw_only=True)
class Oddity:
    """Something that no state of this world has.

    Attributes:
        row: Where, from 0.
        text: What, and what would have been right.
    """

    row: int
    text: str


def check_states(states: FloatArray, model: mujoco.MjModel, path: Path, task: str) -> None:
    """Refuse states (N, 1 + nq + nv) with a turn that is none, or a joint well beyond its limits.

    Raises:
        DatasetError: Names the row, the joint, the value and what it may be.
    """
    first = min(_oddities(states[:, 1 : 1 + model.nq], model), key=lambda oddity: oddity.row, default=None)
    if first is not None:
        raise DatasetError(
            f"{path} does not fit {task}: in row {first.row} (of 0 to {len(states) - 1}) {first.text} These are the "
            "states of another task, or no states. Give the file that LIBERO has for this task."
        )


def _oddities(qpos: FloatArray, model: mujoco.MjModel) -> Iterator[Oddity]:
    """The first of every joint."""
    for index in range(model.njnt):
        start, kind = model.jnt_qposadr[index], mujoco.mjtJoint(model.jnt_type[index])
        if kind == mujoco.mjtJoint.mjJNT_FREE:
            yield from _bad_turn(qpos[:, start + 3 : start + 7], model.joint(index).name)
        elif model.jnt_limited[index]:
            yield from _beyond(qpos[:, start], model.joint(index).name, model.jnt_range[index], SLACK[kind])


def _bad_turn(quaternions: FloatArray, joint: str) -> Iterator[Oddity]:
    norms = np.linalg.norm(quaternions, axis=1)
    for row in _rows(np.abs(norms - 1) > NORM_SLACK):
        text = f"the quaternion of joint {joint!r} has length {norms[row]:.4g}, expected 1 within {NORM_SLACK:g}."
        yield Oddity(row=row, text=text)


def _beyond(values: FloatArray, joint: str, limits: FloatArray, slack: float) -> Iterator[Oddity]:
    low, high = limits
    for row in _rows((values < low - slack) | (values > high + slack)):
        text = f"joint {joint!r} is at {values[row]:.4g}, expected {low:.4g} to {high:.4g}, or {slack:g} beyond."
        yield Oddity(row=row, text=text)


def _rows(bad: npt.NDArray[np.bool_]) -> list[int]:
    """The first, if there is one."""
    return [int(row) for row in np.flatnonzero(bad)[:1]]
