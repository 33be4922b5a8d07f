"""The table of tasks that `record-episodes --list` prints."""

from typing import cast

from ambidex.envs.families import FAMILIES
from ambidex.envs.registry import SUITES, TASKS, resolve
from ambidex.envs.task import Task
from ambidex.recorders.text_table import text_table
from ambidex.scripted_policies.registry import EXPERTS

HEADER = ("task", "suite", "steps", "expert", "cameras", "instruction")


def task_table() -> str:
    """All tasks, one line each."""
    return text_table(HEADER, [_row(name) for name in TASKS])


def _row(name: str) -> tuple[str, ...]:
    task = cast("type[Task]", resolve("task", name, TASKS))
    suites = " ".join(suite for suite, tasks in SUITES.items() if name in tasks)
    cameras = " ".join(FAMILIES[task.family].cameras)
    return name, suites, str(task.horizon), "yes" if name in EXPERTS else "no", cameras, task.instruction
