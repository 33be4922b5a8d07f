"""What files and folders of a task are called."""

BDDL = ".bddl"


def task_folder(task: str) -> str:
    """A name for a task's folder: the last part of its own, without the end of a definition file."""
    return task.rpartition("/")[2].removesuffix(BDDL)
