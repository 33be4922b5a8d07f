"""The copy of a user's definition that lies with what was made from it, so that this outlives the file."""

from dataclasses import replace
from pathlib import Path

from ambidex.atomic_files import write_text
from ambidex.envs.env import Environment, make_from_spec
from ambidex.envs.file_identity import text_sha256
from ambidex.envs.tasks.libero.suites import SUFFIX
from ambidex.envs.types import EnvSpec
from ambidex.errors import DatasetError

DEFINITION_COPY = f"definition{SUFFIX}"
ABOVE = 4  # folders above an episode's file in which the copy may lie


def own_definition(env: Environment) -> str:
    """Text of the user's definition behind an environment; empty for a task that comes with ambidex."""
    return env.task.definition_text if env.spec.task.endswith(SUFFIX) else ""


def keep_definition(directory: Path, text: str) -> None:
    """Write the copy; nothing if the text is empty.

    Raises:
        DatasetError: The disk refuses.
    """
    if text:
        write_text(directory / DEFINITION_COPY, text)


def definition_copy(spec: EnvSpec, stored: Path) -> Path | None:
    """The copy to read a stored spec's task from; None if its own file is still the same, or is no user's.

    Args:
        spec: What was stored.
        stored: Where: a folder, an episode in it, or a file of states below it.

    Raises:
        DatasetError: The file is gone or has changed, and there is no copy.
    """
    wanted = spec.definition_sha256
    if not (wanted and spec.task.endswith(SUFFIX)) or _holds(Path(spec.task), wanted):
        return None
    folders = (stored, *stored.absolute().parents[:ABOVE])
    found = next((folder / DEFINITION_COPY for folder in folders if _holds(folder / DEFINITION_COPY, wanted)), None)
    if found is None:
        raise DatasetError(
            f"{stored}: its task, {spec.task}, is gone or has changed since, and there is no copy of it near. Put the "
            f"text of then back there, or as {DEFINITION_COPY} into the folder; its SHA-256 is {wanted}."
        )
    return found


def _holds(path: Path, sha256: str) -> bool:
    """Whether a file is the definition of this fingerprint, which is that of its text."""
    if not path.is_file():
        return False
    return text_sha256(path.read_bytes().decode("utf-8-sig", "replace")) == sha256


# FOLDED recorders.stored_world: The world of stored episodes.


def world_of(spec: EnvSpec, stored: Path) -> Environment:
    """The environment of a stored spec, for states that are stored too: it needs no file of initial states.

    A user's definition that is gone or has changed is read from the copy that lies with what was stored.

    Args:
        spec: What was stored.
        stored: Where: a folder, an episode in it, or a file of states below it.

    Raises:
        DatasetError: The definition is gone or has changed, and there is no copy.
        UnknownNameError: An unknown task, control mode, camera, quality, spread or criterion.
        UsageError: An image size out of range.
    """
    bare = replace(spec, init_states="", init_states_sha256="", settle_steps=0)
    return make_from_spec(bare, definition_copy(spec, stored))
