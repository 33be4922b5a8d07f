"""Names and where they live. Nothing is imported before it is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from ambidex.envs.tasks.libero import suites
from ambidex.errors import UnknownNameError
from ambidex.lookup import resolve

if TYPE_CHECKING:
    from ambidex.envs.task import Task

TASKS: Mapping[str, str] = {
    "transfer_cube": "ambidex.envs.tasks.transfer_cube:TransferCube",
    "insertion": "ambidex.envs.tasks.insertion:Insertion",
}
"""Tasks written in Python. Those of definition files go by `<suite>/<file name without .bddl>`."""
SUITES: Mapping[str, tuple[str, ...]] = {
    "aloha": ("transfer_cube", "insertion"),
    **{suite: suites.task_names(suite) for suite in suites.HORIZONS},
}


def task_names() -> tuple[str, ...]:
    """Every task of every suite, by its canonical name."""
    return tuple(task for tasks in SUITES.values() for task in tasks)


def canonical_task(name: str) -> str:
    """The name that a task goes by everywhere, from it or from another name for the task.

    Args:
        name: A canonical name, an alias such as "libero_goal/1", or the path of a .bddl file.

    Raises:
        UsageError: No such task; the message says what exists.
    """
    if suites.is_libero_name(name):
        return suites.find_definition(name).name
    if name not in TASKS:
        raise UnknownNameError("task", name, [*TASKS, *(f"{suite}/0" for suite in suites.HORIZONS)])
    return name


def find_task(name: str, definition: Path | None = None) -> "Task":
    """A fresh task by any of its names.

    Args:
        name: Any of its names.
        definition: A copy of a user's definition, to be read in place of the file that `name` is the path of.

    Raises:
        UsageError: No such task; the message says what exists.
        DefinitionError: Its definition file is unsound; says the line and the column.
    """
    canonical = canonical_task(name) if definition is None else name
    if canonical in TASKS:
        return resolve("task", canonical, TASKS)()  # type: ignore[operator,no-any-return]
    libero = import_module("ambidex.envs.tasks.libero.task")
    found = suites.find_definition(canonical) if definition is None else suites.kept_as(name, definition)
    return libero.LiberoTask(found)  # type: ignore[no-any-return]


def tasks_named(name: str) -> tuple[str, ...]:
    """The canonical names of the tasks behind the name of a task or a suite.

    Raises:
        UsageError: Neither a task nor a suite.
    """
    if name in SUITES:
        return SUITES[name]
    if suites.is_libero_name(name) or name in TASKS:
        return (canonical_task(name),)
    raise UnknownNameError("task or suite", name, [*TASKS, *SUITES])


# FOLDED envs.families: What a task family sets by default.


@dataclass(frozen=True, kw_only=True)
class Family:
    """Defaults of a task family.

    Attributes:
        control: Control mode.
        control_hz: Control rate [Hz].
        cameras: Cameras of observations and datasets.
        image_size: Height and width [px].
        format: Dataset format.
        controllers: Control mode -> "module:class" of its controller.
        ee_is_pose: End-effector actions are poses, which joint commands amount to as well; otherwise increments.
        stops_at_success: Recorded episodes end at success instead of at the horizon.
    """

    control: str
    control_hz: float
    cameras: tuple[str, ...]
    image_size: tuple[int, int]
    format: str
    controllers: Mapping[str, str]
    ee_is_pose: bool
    stops_at_success: bool


FAMILIES: Mapping[str, Family] = {
    "aloha": Family(
        control="joint",
        control_hz=50.0,
        cameras=("top", "left_wrist", "right_wrist"),
        image_size=(480, 640),
        format="act",
        controllers={
            "joint": "ambidex.envs.controllers.controller:JointPosition",
            "ee": "ambidex.envs.controllers.ee_pose:EePose",
        },
        ee_is_pose=True,
        stops_at_success=False,
    ),
    "libero": Family(
        control="ee",
        control_hz=20.0,
        cameras=("agentview", "robot0_eye_in_hand"),
        image_size=(256, 256),
        format="libero",
        controllers={
            "joint": "ambidex.envs.controllers.controller:JointPosition",
            "ee": "ambidex.envs.controllers.ee_delta:EeDelta",
        },
        ee_is_pose=False,
        stops_at_success=True,
    ),
}
