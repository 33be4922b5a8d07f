"""LIBERO's files of initial states: a zip whose data.pkl is one array, each row (time, qpos, qvel)."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mujoco
import numpy as np
import numpy.typing as npt

from ambidex.envs.tasks.libero.initial.array_pickle import PickleRefusedError, read_array
from ambidex.envs.types import FloatArray
from ambidex.errors import DatasetError

MAX_BYTES = 8 * 2**20  # LIBERO's have up to 0.2 MB
MEMBER = "data.pkl"
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 0x1
# What zipfile raises on damaged archives; RuntimeError is its word for encryption and for versions it does not know.
DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError)


def read_init_states(path: Path) -> FloatArray:
    """The states of a file such as `put_the_bowl_on_the_stove.pruned_init`, shape (N, 1 + nq + nv).

    Row i is [time [s], qpos, qvel] of episode i, in LIBERO's order: arm, fingers, free objects in the definition's
    order (xyz, wxyz), then the joints of the fixtures. Fixtures' own places are not in it. Nothing is unpickled.

    Raises:
        DatasetError: No such file, not of this format, or with anything else in it.
    """
    try:
        states = read_array(_pickle(path))
    except PickleRefusedError as error:
        raise DatasetError(
            f"{path} is refused: {error}. Expected a file of initial states as LIBERO has them."
        ) from None
    if states.ndim != 2 or not states.size:
        raise DatasetError(f"{path} holds an array of shape {states.shape}; expected rows of numbers, at least one.")
    _check_finite(states, path)
    return states


def check_fit(states: FloatArray, *, nq: int, nv: int, path: Path, task: str) -> None:
    """Refuse states (N, S) that are not of this task's size.

    Raises:
        DatasetError: S is not 1 + nq + nv.
    """
    expected = 1 + nq + nv
    if states.shape[1] != expected:
        raise DatasetError(
            f"{path} does not fit {task}: its states have {states.shape[1]} numbers, expected {expected} "
            f"(time, {nq} positions, {nv} velocities). It belongs to another task."
        )


def _check_finite(states: FloatArray, path: Path) -> None:
    if not np.isfinite(states).all():
        row, column = np.argwhere(~np.isfinite(states))[0]
        raise DatasetError(
            f"{path}, row {row}, number {column} (both from 0): got {states[row, column]}, expected a finite number. "
            "The file is damaged; fetch it again."
        )


def _pickle(path: Path) -> bytes:
    if not path.is_file():
        raise DatasetError(f"{path} is no file. Give the path of a file of initial states, such as task.pruned_init.")
    if path.stat().st_size > MAX_BYTES:
        raise DatasetError(f"{path} has {path.stat().st_size:,} bytes; initial states have at most {MAX_BYTES:,}.")
    try:
        with zipfile.ZipFile(path) as archive, archive.open(_member(archive, path)) as member:
            return member.read(MAX_BYTES)  # a bound, as what the archive says of its size may be a lie
    except DAMAGE as error:
        raise DatasetError(f"{path} is no sound zip archive ({error}); expected one that holds {MEMBER}.") from None


def _member(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    found = [info for info in archive.infolist() if info.filename.rpartition("/")[2] == MEMBER]
    if len(found) != 1:
        raise DatasetError(f"{path} holds {len(found)} members called {MEMBER}, expected one.")
    info = found[0]
    if info.file_size > MAX_BYTES or info.compress_type not in METHODS or info.flag_bits & ENCRYPTED:
        raise DatasetError(f"{path} is refused: {MEMBER} is too large ({info.file_size:,} bytes), encrypted or odd.")
    return info


# FOLDED envs.tasks.libero.state_checks: Can a row of numbers be a state of this world? Stored initial states are checked before an episode begins there.

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
