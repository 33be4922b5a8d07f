"""What `record-episodes --list` prints: the suites, or the tasks of one."""

from ambidex.envs.registry import FAMILIES, SUITES, find_task, tasks_named
from ambidex.envs.tasks.libero.suites import find, is_libero
from ambidex.text import text_table

FEW = 3  # tasks that are named beside their suite
SUITE_HEADER = ("suite", "tasks", "steps", "cameras", "names")
TASK_HEADER = ("task", "short", "steps", "instruction")
HINT = "`record-episodes --list --task SUITE` prints the tasks of a suite with their instructions."


def task_table(name: str) -> str:
    """The tasks of a suite or a task alone, one line each; the suites, if no name is given.

    Raises:
        UsageError: Neither a task nor a suite.
    """
    if name:
        return text_table(TASK_HEADER, [_task_row(task) for task in tasks_named(name)])
    return text_table(SUITE_HEADER, [_suite_row(suite) for suite in SUITES]) + f"\n\n{HINT}"


def _suite_row(suite: str) -> tuple[str, ...]:
    names = SUITES[suite]
    family, horizon, _ = _facts(names[0])
    shown = ", ".join(names) if len(names) <= FEW else f"{suite}/0 to {suite}/{len(names) - 1}"
    return suite, str(len(names)), str(horizon), " ".join(FAMILIES[family].cameras), shown


def _task_row(name: str) -> tuple[str, ...]:
    _, horizon, instruction = _facts(name)
    return name, _short(name), str(horizon), instruction


def _short(name: str) -> str:
    """The name by number, where there is one."""
    if not is_libero(name):
        return ""
    definition = find(name)
    return f"{definition.suite}/{definition.index}" if definition.suite else ""


def _facts(name: str) -> tuple[str, int, str]:
    """Family, control steps and instruction of a task; definition files are not read for that."""
    if is_libero(name):
        definition = find(name)
        return "libero", definition.horizon, definition.instruction
    task = find_task(name)
    return task.family, task.horizon, task.instruction
