"""Names and where they live. Nothing is imported before it is asked for."""

from collections.abc import Mapping
from importlib import import_module

from ambidex.envs.errors import UnknownNameError

TASKS: Mapping[str, str] = {
    "transfer_cube": "ambidex.envs.tasks.transfer_cube:TransferCube",
    "insertion": "ambidex.envs.tasks.insertion:Insertion",
}
SUITES: Mapping[str, tuple[str, ...]] = {"aloha": ("transfer_cube", "insertion")}
ROBOTS: Mapping[str, str] = {
    "viperx_bimanual": "ambidex.envs.robots.viperx_bimanual:make_robot",
    "panda": "ambidex.envs.robots.panda:make_robot",
}


def resolve(kind: str, name: str, table: Mapping[str, str]) -> object:
    """The object a name stands for.

    Raises:
        UnknownNameError: No such name; the message says what exists.
    """
    if name not in table:
        raise UnknownNameError(kind, name, table)
    module, _, attribute = table[name].partition(":")
    return getattr(import_module(module), attribute)


def tasks_named(name: str) -> tuple[str, ...]:
    """The tasks behind the name of a task or a suite.

    Raises:
        UnknownNameError: Neither a task nor a suite.
    """
    if name in SUITES:
        return SUITES[name]
    if name in TASKS:
        return (name,)
    raise UnknownNameError("task or suite", name, [*TASKS, *SUITES])
