"""LIBERO's files of initial states: a zip whose data.pkl is one array, each row (time, qpos, qvel)."""

import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np

from ambidex.envs.tasks.libero.array_pickle import read_array
from ambidex.envs.tasks.libero.inert_pickle import PickleRefusedError
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
