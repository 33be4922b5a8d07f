"""The tables of tasks, suites and task families. Classes are given as strings and imported when needed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from ambidex.envs.tasks.libero import suites
from ambidex.envs.types import EnvSpec
from ambidex.errors import AmbidexError, UnknownNameError, UsageError, check_name
from ambidex.lookup import Registry, resolve

if TYPE_CHECKING:
    from ambidex.envs.task import Task

TASKS = Registry(
    {
        "transfer_cube": "ambidex.envs.tasks.aloha.transfer_cube:TransferCube",
        "insertion": "ambidex.envs.tasks.aloha.insertion:Insertion",
        "stack_both": "ambidex.envs.tasks.aloha.stack_both:StackBoth",
        "hand_over_bar": "ambidex.envs.tasks.aloha.hand_over_bar:HandOverBar",
        "lift_tray": "ambidex.envs.tasks.aloha.lift_tray:LiftTray",
        "plug_in": "ambidex.envs.tasks.aloha.plug_in:PlugIn",
        "open_box_insert": "ambidex.envs.tasks.aloha.open_box_insert:OpenBoxInsert",
        "drawer_put": "ambidex.envs.tasks.aloha.drawer_put:DrawerPut",
        "plates_in_rack": "ambidex.envs.tasks.aloha.plates_in_rack:PlatesInRack",
        "hang_mug": "ambidex.envs.tasks.aloha.hang_mug:HangMug",
        "pour_beads": "ambidex.envs.tasks.aloha.pour_beads:PourBeads",
        "unscrew_cap": "ambidex.envs.tasks.aloha.unscrew_cap:UnscrewCap",
        "sweep_beads": "ambidex.envs.tasks.aloha.sweep_beads:SweepBeads",
        "remove_lid": "ambidex.envs.tasks.aloha.remove_lid:RemoveLid",
        "stack_both_rbg": "ambidex.envs.tasks.aloha.stack_both:StackBothRbg",
        "stack_both_grb": "ambidex.envs.tasks.aloha.stack_both:StackBothGrb",
        "stack_both_gbr": "ambidex.envs.tasks.aloha.stack_both:StackBothGbr",
        "stack_both_brg": "ambidex.envs.tasks.aloha.stack_both:StackBothBrg",
        "stack_both_bgr": "ambidex.envs.tasks.aloha.stack_both:StackBothBgr",
        "plug_in_loose": "ambidex.envs.tasks.aloha.plug_in:PlugInLoose",
        "plug_in_tight": "ambidex.envs.tasks.aloha.plug_in:PlugInTight",
    },
    group="ambidex.tasks",
)
"""Tasks written in Python. Those of definition files are named `<suite>/<file name without .bddl>`."""
HORIZONS: Mapping[str, int] = {
    "transfer_cube": 400,
    "insertion": 400,
    "stack_both": 1050,
    "hand_over_bar": 500,
    "lift_tray": 300,
    "plug_in": 500,
    "open_box_insert": 800,
    "drawer_put": 650,
    "plates_in_rack": 600,
    "hang_mug": 550,
    "pour_beads": 1150,
    "unscrew_cap": 1300,
    "sweep_beads": 800,
    "remove_lid": 650,
}
"""Task of `TASKS` -> control steps in a full episode. Stands here to be known without the simulator."""
STACKING_ORDERS = ("stack_both", *(f"stack_both_{order}" for order in ("rbg", "grb", "gbr", "brg", "bgr")))
VARIANT_HORIZONS: Mapping[str, int] = {
    **dict.fromkeys(STACKING_ORDERS[1:], HORIZONS["stack_both"]),
    "plug_in_loose": 500,
    "plug_in_tight": 500,
}
"""The same for tasks that differ from one of `HORIZONS` in their instruction or difficulty only."""
MIRRORED = "_mirrored"
"""Ending of the name of the mirror image of one of `TASKS`, and of a suite of mirror images."""
_ALOHA = {"aloha": ("transfer_cube", "insertion"), "aloha_bimanual": tuple(HORIZONS)}
SUITES: Mapping[str, tuple[str, ...]] = {
    **_ALOHA,
    **{suite + MIRRORED: tuple(task + MIRRORED for task in tasks) for suite, tasks in _ALOHA.items()},
    "stack_both_orders": STACKING_ORDERS,
    "plug_in_clearances": ("plug_in_loose", "plug_in", "plug_in_tight"),
    **{suite: suites.tasks_of_suite(suite) for suite in suites.HORIZONS},
}
EE_POSE = ("x", "y", "z", "qw", "qx", "qy", "qz", "gripper")
EE_DELTA = ("dx", "dy", "dz", "drx", "dry", "drz", "gripper")
"""Names of the end-effector action of one arm, as an absolute pose and as an increment."""
MAX_IMAGE_SIDE = 4096  # [px]


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
        ee_is_pose: End-effector actions are absolute poses, which can be computed from joint commands; otherwise they
            are increments.
        hold_s: How long all checks must hold for strict success [s].
        stops_at_success: Recorded episodes end at success instead of at the horizon.
    """

    control: str
    control_hz: float
    cameras: tuple[str, ...]
    image_size: tuple[int, int]
    format: str
    controllers: Mapping[str, str]
    ee_is_pose: bool
    hold_s: float
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
        hold_s=0.2,
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
        hold_s=0.5,
        stops_at_success=True,
    ),
}


def with_control(spec: EnvSpec, control: str) -> EnvSpec:
    """The spec of the same environment under another control mode.

    Raises:
        UnknownNameError: The family has no such control mode.
    """
    family = FAMILIES[spec.family]
    check_name("control mode", control, family.controllers)
    arms = [name.removesuffix("_gripper") for name in spec.joint_names if name.endswith("_gripper")]
    ee_names = tuple(f"{arm}_{name}" for arm in arms for name in (EE_POSE if family.ee_is_pose else EE_DELTA))
    return replace(spec, control=control, action_names=spec.joint_names if control == "joint" else ee_names)


def check_spec(spec: EnvSpec) -> None:
    """Check a spec that was read from a file.

    Raises:
        ValueError: Its family is unknown, or a number in it is out of range.
    """
    if spec.family and spec.family not in FAMILIES:
        raise ValueError(f"unknown family {spec.family!r}, expected {' or '.join(FAMILIES)}")
    sides = all(1 <= side <= MAX_IMAGE_SIDE for side in spec.image_size)
    if not (sides and spec.control_hz > 0 and spec.horizon > 0 and spec.settle_steps >= 0):
        numbers = {name: getattr(spec, name) for name in ("image_size", "control_hz", "horizon", "settle_steps")}
        raise ValueError(f"a number is out of range: {numbers}")


def task_names() -> tuple[str, ...]:
    """Canonical names of all tasks of all suites."""
    return tuple(dict.fromkeys(task for tasks in SUITES.values() for task in tasks))


def mirrored_name(name: str) -> str:
    """The name of the mirror image of a two-armed task, or of a suite of them.

    Raises:
        UsageError: A task or suite of another family.
    """
    if is_registered(name) or name + MIRRORED in SUITES:
        return name.removesuffix(MIRRORED) + MIRRORED
    problem = f"--mirrored: {name} is no task or suite of two arms."
    raise UsageError(problem, "Leave it out.", got=name, expected=(*TASKS, *_ALOHA))


def is_registered(name: str) -> bool:
    """Whether a task of this name is in `TASKS`, or is the mirror image of one."""
    return name.removesuffix(MIRRORED) in TASKS


def canonical_task(name: str) -> str:
    """The canonical name of a task, from that, an alias such as "libero_goal/1", or the path of a .bddl file.

    Raises:
        UsageError: No such task; lists the known ones.
    """
    if suites.is_libero_name(name):
        return suites.find_definition(name).name
    if not is_registered(name):
        raise UnknownNameError("task", name, [*TASKS, *(f"{suite}/0" for suite in suites.HORIZONS)])
    return name


def find_task(name: str, definition: Path | None = None) -> "Task":
    """A new task object; its name is as in `canonical_task`.

    A `definition`, the copy of a user's .bddl file, is read instead of the path given as name.

    Raises:
        UsageError: No such task, which lists the known ones; or a definition of a task that is not a .bddl file.
        AmbidexError: The task of another distribution cannot be imported, or has another name than it registers.
        DefinitionError: Its definition file is invalid; gives line and column.
    """
    if definition is not None and not name.endswith(suites.SUFFIX):
        problem = f"A definition is given with the task {name!r}, which is not a {suites.SUFFIX} file."
        raise UsageError(problem, "Give the path of the file as the task, or leave the definition out.", got=name)
    canonical = canonical_task(name) if definition is None else name
    if definition is None and not suites.is_libero_name(name):
        base = canonical.removesuffix(MIRRORED)
        task = _task_of_class(base, resolve("task", base, TASKS))
        return task if base == canonical else _mirrored(task)
    libero = import_module("ambidex.envs.tasks.libero.task")
    found = suites.find_definition(canonical) if definition is None else suites.definition_copy(name, definition)
    return libero.LiberoTask(found)  # type: ignore[no-any-return]


def _task_of_class(name: str, found: object) -> "Task":
    if getattr(found, "name", None) != name:
        owner = TASKS.distribution(name)
        problem = f"{found!r}, which {owner or 'ambidex'} registers as the task {name!r}, is no task of this name."
        raise AmbidexError(problem, "Register a subclass of Task under its own name.", name=name, distribution=owner)
    return found()  # type: ignore[operator,no-any-return]


def _mirrored(task: "Task") -> "Task":
    mirrored = import_module("ambidex.envs.tasks.mirrored")
    return mirrored.MirroredTask(task)  # type: ignore[no-any-return]


def tasks_named(name: str) -> tuple[str, ...]:
    """The canonical names of a task, or of all tasks of a suite.

    Raises:
        UsageError: Neither a task nor a suite.
    """
    if name in SUITES:
        return SUITES[name]
    if suites.is_libero_name(name) or is_registered(name):
        return (canonical_task(name),)
    raise UnknownNameError("task or suite", name, [*TASKS, *SUITES])
