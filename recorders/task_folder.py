"""What files and folders of a task are called."""

from pathlib import Path

from ambidex.envs.tasks.libero.suites import SUFFIX
from ambidex.errors import UsageError


def task_folder(task: str) -> str:
    """A name for a task's folder: the last part of its own, without the end of a definition file."""
    return task.rpartition("/")[2].removesuffix(SUFFIX)


def definition_name(file: Path) -> str:
    """The name of the task that a definition file holds.

    Raises:
        UsageError: It is not called so that it could be one.
    """
    if file.suffix != SUFFIX:
        raise UsageError(f"--bddl-file {file}: the name of a definition ends in {SUFFIX}. Rename it, or give another.")
    return str(file)
