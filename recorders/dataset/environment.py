"""The environment of stored episodes, and the copy of a user's definition stored beside them.

The copy makes a dataset reproducible when the user's own file is later moved or edited.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ambidex.atomic_files import write_text
from ambidex.envs.env import Environment, make_from_spec
from ambidex.envs.file_identity import text_sha256
from ambidex.envs.perturbations.registry import OBSTACLES, only
from ambidex.envs.tasks.libero.suites import SUFFIX
from ambidex.envs.types import EnvSpec, FloatArray
from ambidex.errors import DatasetError
from ambidex.recorders.dataset.episode import StoredEpisode

DEFINITION_COPY = f"definition{SUFFIX}"
INITIAL_STATE_TOLERANCE = 1e-6  # between processors [m, rad, or of a quaternion]
LEVELS = 4  # folders above an episode's file in which the copy may be


def user_definition(env: Environment) -> str:
    """Text of the user's definition that an environment was made from; empty for a task that comes with ambidex."""
    return env.task.definition_text if env.spec.task.endswith(SUFFIX) else ""


def save_definition(directory: Path, text: str) -> None:
    """Write the copy; nothing if the text is empty.

    Raises:
        DatasetError: It cannot be written.
    """
    if text:
        write_text(directory / DEFINITION_COPY, text)


def stored_environment(spec: EnvSpec, path: Path) -> Environment:
    """The environment of stored states. It needs no file of initial states, but for distractors, placed around them.

    A user's definition that was moved or edited is read from the copy stored near the states: `path` is the folder they
    are in, an episode in it, or a file of states below it.

    Raises:
        DatasetError: The definition was moved or edited, and there is no copy; or initial states that are needed cannot
            be read.
        UnknownNameError: An unknown task, control mode, camera, quality, spread or criterion.
        UsageError: An image size out of range, or the initial states have changed.
    """
    bare = replace(spec, settle_steps=0)
    if not only(spec.perturb, OBSTACLES):
        bare = replace(bare, init_states="", init_states_sha256="")
    return make_from_spec(bare, stored_definition(spec, path))


def initial_state_difference(env: Environment, seed: int, stored: FloatArray) -> list[str]:
    """The difference between an episode's first state `stored` and that of its seed now, as a list of at most one."""
    now = env.reset(seed).state
    if now.shape == stored.shape and np.allclose(now, stored, rtol=0.0, atol=INITIAL_STATE_TOLERANCE):
        return []
    return [f"the initial state of {env.spec.task}, seed {seed}, has changed (another version of ambidex?)"]


def check_fits(stored: StoredEpisode, env: Environment) -> None:
    """Compare an open episode with the environment that is to replay or render it, before its arrays are read.

    Raises:
        DatasetError: Its states have another size, or its robot other joints.
    """
    got, expected = (
        (stored.state_size, len(stored.spec.joint_names)),
        (env.scene.state().size, len(env.spec.joint_names)),
    )
    if (got[0], stored.spec.joint_names) != (expected[0], env.spec.joint_names):
        problem = (
            f"{stored.path}: a state has {got[0]} numbers and the robot {got[1]} joints, expected {expected[0]} and "
            f"{expected[1]} in this version of {stored.spec.task}."
        )
        hint = f"Use the version that recorded it: {dict(stored.versions)}."
        raise DatasetError(problem, hint, path=stored.path, got=got, expected=expected)


def stored_definition(spec: EnvSpec, path: Path) -> Path | None:
    """The copy of a user's definition; None if the file itself is unchanged, or the task comes with ambidex.

    Raises:
        DatasetError: The file was moved or edited, and there is no copy.
    """
    expected = spec.definition_sha256
    if not (expected and spec.task.endswith(SUFFIX)) or _has_sha256(Path(spec.task), expected):
        return None
    copies = [folder / DEFINITION_COPY for folder in (path, *path.absolute().parents[:LEVELS])]
    found = next((copy for copy in copies if _has_sha256(copy, expected)), None)
    if found is None:
        problem = f"{path}: its task definition, {spec.task}, is missing or has changed, and there is no copy of it."
        hint = f"Restore the file whose SHA-256 is {expected}, there or as {DEFINITION_COPY} in the dataset's folder."
        raise DatasetError(problem, hint, path=path, expected=expected)
    return found


def _has_sha256(path: Path, sha256: str) -> bool:
    """Whether a file is a definition whose text has this SHA-256."""
    if not path.is_file():
        return False
    return text_sha256(path.read_bytes().decode("utf-8-sig", "replace")) == sha256
