"""Names of LIBERO's tasks and the paths of their definitions. Imports neither NumPy nor a simulator."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from ambidex.assets.paths import ROOT
from ambidex.errors import DefinitionError, UsageError, check_name

DEFINITIONS = ROOT / "libero" / "bddl"
HORIZONS: Mapping[str, int] = {
    "libero_spatial": 220,
    "libero_object": 280,
    "libero_goal": 300,
    "libero_10": 520,
    "libero_90": 400,
}
"""Suite -> control steps in a full episode: OpenVLA's limits."""
USER_HORIZON = 600  # of a user's definition: LIBERO's limit for all tasks [control steps]
SUFFIX = ".bddl"
SCENE_PREFIX = re.compile(r"^[A-Z_]+_SCENE[0-9]+_")


@dataclass(frozen=True, kw_only=True)
class LiberoDefinition:
    """A definition file that has not been read yet.

    Attributes:
        name: Canonical: `<suite>/<file name without .bddl>`, or the absolute path of a user's file.
        suite: Suite, "" for a user's file.
        index: Position in the suite, in the benchmark's order; 0 for a user's file.
        path: The file.
        instruction: The task in words, from the file name, as policies are evaluated.
        horizon: Control steps in a full episode.
    """

    name: str
    suite: str
    index: int
    path: Path
    instruction: str
    horizon: int


def tasks_of_suite(suite: str) -> tuple[str, ...]:
    """Canonical names of a suite's tasks, in the benchmark's order.

    Raises:
        UnknownNameError: No such suite.
    """
    check_name("LIBERO suite", suite, HORIZONS)
    return tuple(f"{suite}/{name}" for name in _orders()[suite])


def is_libero_name(name: str) -> bool:
    """Whether a name has the form `<suite>/...` or is the path of a .bddl file, so that `find_definition` applies."""
    return name.endswith(SUFFIX) or name.partition("/")[0] in HORIZONS


def find_definition(name: str) -> LiberoDefinition:
    """The definition of a canonical name, an alias such as `libero_goal/1`, or the path of a .bddl file.

    Raises:
        UsageError: No such suite, task or file; suggests a similar name.
    """
    if name.endswith(SUFFIX):
        return _user_definition(Path(name))
    suite, _, task = name.partition("/")
    names = tasks_of_suite(suite)
    index = _index(suite, task, names)
    return LiberoDefinition(
        name=names[index],
        suite=suite,
        index=index,
        path=DEFINITIONS / f"{names[index]}{SUFFIX}",
        instruction=instruction(names[index].partition("/")[2]),
        horizon=HORIZONS[suite],
    )


def definition_copy(name: str, path: Path) -> LiberoDefinition:
    """A copy of a user's definition file, under the name of the original file."""
    return LiberoDefinition(
        name=name, suite="", index=0, path=path, instruction=instruction(Path(name).stem), horizon=USER_HORIZON
    )


def instruction(file_name: str) -> str:
    """The instruction in a file name without .bddl: without the scene's prefix, underscores replaced by spaces."""
    return SCENE_PREFIX.sub("", file_name).replace("_", " ")


def _index(suite: str, task: str, names: tuple[str, ...]) -> int:
    if task.isascii() and task.isdecimal() and len(task) < 5:
        if int(task) >= len(names):
            raise UsageError(f"{suite} has no task {task}: tasks are numbered from 0 to {len(names) - 1}.", got=task)
        return int(task)
    if not task:
        raise UsageError(f"{suite} is a suite of {len(names)} tasks.", f"Name one of them, such as {suite}/0.")
    wanted = f"{suite}/{task}"
    if wanted not in names:
        close = get_close_matches(wanted, names, n=1, cutoff=0.5)
        suggestion = f" Did you mean {close[0]!r}?" if close else ""
        hint = f"Use {suite}/0 to {suite}/{len(names) - 1}, or a name that record-episodes --list prints."
        raise UsageError(f"Unknown task {task[:200]!r} in {suite}.{suggestion}", hint, got=task)
    return names.index(wanted)


def _user_definition(path: Path) -> LiberoDefinition:
    if not path.is_file():
        raise DefinitionError(
            f"{path} is not a file.", f"Give the path of a BDDL definition, such as my_task{SUFFIX}.", path=path
        )
    # Symbolic links are not resolved: the target may have another name.
    path = Path(os.path.abspath(path))  # noqa: PTH100
    return definition_copy(str(path), path)


@cache
def _orders() -> Mapping[str, list[str]]:
    with (DEFINITIONS / "suites.json").open(encoding="utf-8") as file:
        orders: dict[str, list[str]] = json.load(file)
    return orders
