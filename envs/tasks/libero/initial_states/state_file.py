"""Reads LIBERO's files of initial states, and checks that their rows can be states of the task.

A file is a zip archive whose data.pkl is one array; each row is (time, qpos, qvel).
"""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import mujoco
import numpy as np

from ambidex.envs.tasks.libero.initial_states.array_pickle import PickleRefusedError, read_array
from ambidex.envs.types import FloatArray
from ambidex.errors import DatasetError, MissingDatasetError

MAX_BYTES = 8 * 2**20  # LIBERO's files have up to 0.2 MB
MEMBER = "data.pkl"
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 0x1
# What zipfile raises for damaged archives; RuntimeError is for encryption and unknown versions.
DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError)

NORM_TOLERANCE = 0.01  # of a quaternion
# MuJoCo's limits are soft: joints can rest a little beyond them.
LIMIT_TOLERANCE = {mujoco.mjtJoint.mjJNT_SLIDE: 0.01, mujoco.mjtJoint.mjJNT_HINGE: 0.1}  # [m], [rad]


def read_init_states(path: Path) -> FloatArray:
    """Read a file such as `put_the_bowl_on_the_stove.pruned_init`, shape (N, 1 + nq + nv). Nothing is executed.

    Row i is [time [s], qpos, qvel] of episode i, in LIBERO's order: arm, fingers, objects in the definition's order
    (xyz, wxyz), then the joints of the fixtures. The poses of the fixtures are not included.

    Raises:
        DatasetError: No such file, another format, or anything else in it.
    """
    try:
        states = read_array(_pickle(path))
    except PickleRefusedError as error:
        hint = "Give a file of LIBERO's initial states."
        raise DatasetError(f"{path} is refused: {error}.", hint, path=path) from None
    if states.ndim != 2 or not states.size:
        raise DatasetError(f"{path} holds an array of shape {states.shape}; expected rows of numbers.", path=path)
    if not np.isfinite(states).all():
        row, column = (int(index) for index in np.argwhere(~np.isfinite(states))[0])
        raise DatasetError(
            f"{path}, row {row}, column {column} (from 0): got {states[row, column]}, expected a finite number.",
            "The file is damaged; download it again.",
            path=path,
            row=row,
            column=column,
        )
    return states


def check_fit(states: FloatArray, *, nq: int, nv: int, path: Path, task: str) -> None:
    """Check that states (N, S) have the size of this task's.

    Raises:
        DatasetError: S is not 1 + nq + nv.
    """
    got, expected = states.shape[1], 1 + nq + nv
    if got != expected:
        raise DatasetError(
            f"{path} does not fit {task}: its states have {got} numbers, expected {expected} (time, {nq} positions, "
            f"{nv} velocities).",
            "It belongs to another task.",
            path=path,
            got=got,
            expected=expected,
        )


def check_states(states: FloatArray, model: mujoco.MjModel, path: Path, task: str) -> None:
    """Check that quaternions have length 1 and that joints are near their limits in states (N, 1 + nq + nv).

    Raises:
        DatasetError: A check fails; names the first row, the joint, the value and what is allowed.
    """
    problems = list(_problems(states[:, 1 : 1 + model.nq], model))
    if problems:
        row, joint, problem = min(problems, key=lambda found: found[0])
        raise DatasetError(
            f"{path} does not fit {task}: in row {row} (of 0 to {len(states) - 1}) {problem}.",
            "Give the file that LIBERO has for this task.",
            path=path,
            row=row,
            joint=joint,
        )


def _problems(qpos: FloatArray, model: mujoco.MjModel) -> Iterator[tuple[int, str, str]]:
    """The first row, the joint and the problem, for every joint with one."""
    for index in range(model.njnt):
        start, kind, name = model.jnt_qposadr[index], mujoco.mjtJoint(model.jnt_type[index]), model.joint(index).name
        if kind == mujoco.mjtJoint.mjJNT_FREE:
            norms = np.linalg.norm(qpos[:, start + 3 : start + 7], axis=1)
            for row in np.flatnonzero(np.abs(norms - 1) > NORM_TOLERANCE)[:1].tolist():
                expected = f"expected 1 within {NORM_TOLERANCE:g}"
                yield row, name, f"the quaternion of joint {name!r} has length {norms[row]:.4g}, {expected}"
        elif model.jnt_limited[index]:
            values, (low, high), tolerance = qpos[:, start], model.jnt_range[index], LIMIT_TOLERANCE[kind]
            for row in np.flatnonzero((values < low - tolerance) | (values > high + tolerance))[:1].tolist():
                expected = f"expected {low:.4g} to {high:.4g}, or {tolerance:g} beyond"
                yield row, name, f"joint {name!r} is at {values[row]:.4g}, {expected}"


def _pickle(path: Path) -> bytes:
    if not path.is_file():
        hint = "Give the path of a file of initial states, such as task.pruned_init."
        raise MissingDatasetError(f"{path} is not a file.", hint, path=path)
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise DatasetError(f"{path} has {size:,} bytes; initial states have at most {MAX_BYTES:,}.", path=path)
    try:
        with zipfile.ZipFile(path) as archive, archive.open(_member(archive, path)) as member:
            return member.read(MAX_BYTES)  # bounded, as the size in the archive may be wrong
    except DAMAGE as error:
        problem = f"{path} is not a valid zip archive ({error}); expected one with {MEMBER} in it."
        raise DatasetError(problem, path=path) from None


def _member(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    found = [info for info in archive.infolist() if info.filename.rpartition("/")[2] == MEMBER]
    if len(found) != 1:
        raise DatasetError(f"{path} has {len(found)} members called {MEMBER}, expected one.", path=path)
    info = found[0]
    if info.file_size > MAX_BYTES or info.compress_type not in METHODS or info.flag_bits & ENCRYPTED:
        problem = f"{path} is refused: {MEMBER} is too large ({info.file_size:,} bytes), encrypted or compressed oddly."
        raise DatasetError(problem, path=path)
    return info
