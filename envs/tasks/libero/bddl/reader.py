"""Reads BDDL text into a checked `Problem`. Accepts LIBERO's grammar (its own files unchanged); executes nothing."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from ambidex.envs.objects.properties import categories, object_properties
from ambidex.envs.tasks.libero.bddl.lexer import MAX_CHARACTERS, Group, Location, parse, word
from ambidex.envs.tasks.libero.bddl.names import WORKSPACES, Names, known
from ambidex.envs.tasks.libero.bddl.problem import Atom, Problem
from ambidex.envs.tasks.libero.bddl.regions import regions
from ambidex.envs.tasks.libero.bddl.sections import (
    Declaration,
    check_distinct,
    declarations,
    goal_atoms,
    init_atoms,
    only_word,
    sections,
)
from ambidex.errors import DefinitionError

DOMAIN = "robosuite"
MAX_BYTES = 4 * MAX_CHARACTERS


def read_problem(path: Path, name: str = "") -> Problem:
    """Read a definition file; the name of the problem is by default the file's without .bddl.

    Raises:
        DefinitionError: No such file, or an invalid definition; gives line and column.
    """
    if not path.is_file():
        raise DefinitionError(
            f"{path} is not a file.", "Give the path of a BDDL definition, such as my_task.bddl.", path=path
        )
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    return parse_problem(_decoded(content, str(path)), source=str(path), name=name or path.stem)


def _decoded(content: bytes, source: str) -> str:
    if len(content) > MAX_BYTES:
        raise Location(source, 1, 1).error(f"the file has more than {MAX_BYTES:,} bytes.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        at = Location(source, before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        raise at.error(f"byte 0x{content[error.start]:02x} is not UTF-8 text.") from None


def parse_problem(text: str, *, source: str = "<text>", name: str = "task") -> Problem:
    """Read a definition from a text; `source` is its name in messages.

    Raises:
        DefinitionError: The definition is invalid; gives line and column.
    """
    found = sections(parse(text, source))
    fixtures, objects = declarations(found[":fixtures"]), declarations(found[":objects"])
    check_distinct([*fixtures, *objects])
    problem = known(only_word(found["problem"], "the problem class"), "problem class", WORKSPACES)
    names = _names(found, problem, fixtures, objects)
    init = init_atoms(found[":init"], names)
    _check_placements([*fixtures, *objects], init, names)
    if ":domain" in found:
        known(only_word(found[":domain"], "the domain"), "domain", (DOMAIN,))
    return Problem(
        name=name,
        problem=problem,
        workspace=names.workspace,
        language=_language(found.get(":language")),
        regions=names.regions,
        fixtures=names.fixtures,
        objects=names.objects,
        obj_of_interest=_of_interest(found.get(":obj_of_interest"), names),
        init=tuple(atom for atom, _ in init),
        goal=goal_atoms(found[":goal"], names),
        source=source,
        sha256=hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest(),
        text=text,
    )


def _names(found: Mapping[str, Group], problem: str, fixtures: list[Declaration], objects: list[Declaration]) -> Names:
    workspace, kind = WORKSPACES[problem]
    if not any((item.instance.text, item.category.text) == (workspace, kind) for item in fixtures):
        raise found[":fixtures"].at.error(f"the fixtures of {problem} must include `{workspace} - {kind}`.")
    others = [item for item in fixtures if item.instance.text != workspace]
    names = Names(
        workspace=workspace,
        fixtures=_by_category(others, True),
        objects=_by_category(objects, False),
        regions=regions(found[":regions"]),
    )
    both = [name for name in names.regions if name in names.categories or name == names.workspace]
    if both:
        clash = f"{both[0]} is both the name of an object or fixture and the full name of a region."
        raise found[":regions"].at.error(clash, "Rename one.")
    return names


def _by_category(declared: list[Declaration], fixed: bool) -> dict[str, str]:
    for item in declared:
        category = known(item.category, "category", categories())
        if object_properties(category).is_fixture != fixed:
            kind, section = ("an object", ":objects") if fixed else ("a fixture", ":fixtures")
            raise item.category.at.error(f"{category} is {kind}; declare {item.instance.text} in ({section} ...).")
    return {item.instance.text: item.category.text for item in declared}


def _language(section: Group | None) -> str:
    return "" if section is None else " ".join(word(item, "plain words").text for item in section.tail)


def _of_interest(section: Group | None, names: Names) -> tuple[str, ...]:
    if section is None:
        return ()
    everything = [*names.categories, *names.regions, names.workspace]
    return tuple(known(word(item, "a name"), "object of interest", everything) for item in section.tail)


def _check_placements(declared: Iterable[Declaration], init: Iterable[tuple[Atom, Location]], names: Names) -> None:
    """Check that :init places every object and fixture once, and all of them on the workspace in the end."""
    supports: dict[str, str] = {}
    for atom, at in init:
        if atom.predicate == "up":
            raise at.error("up is allowed in :goal only; expected on, in, open, close, turnon or turnoff.")
        if atom.predicate in ("on", "in"):
            _place(atom, at, supports, names)
    for item in declared:
        name = item.instance
        if name.text not in supports and name.text != names.workspace:
            raise name.at.error(f"{name.text} is not placed: :init has neither (On ...) nor (In ...) for it.")
        _check_grounded(item, supports)


def _place(atom: Atom, at: Location, supports: dict[str, str], names: Names) -> None:
    name, support = atom.arguments
    owner = names.regions[support].target if support in names.regions else support
    if name in supports:
        raise at.error(f"{name} is placed twice.", "Remove one placement.")
    if name in names.fixtures and owner != names.workspace:
        raise at.error(f"fixture {name} must be placed on a region of {names.workspace}, not on {support}.")
    supports[name] = owner


def _check_grounded(item: Declaration, supports: Mapping[str, str]) -> None:
    passed = [item.instance.text]
    while (below := supports.get(passed[-1])) is not None:
        if below in passed:
            cycle = f"these are placed on each other in a circle: {', '.join(passed)}."
            raise item.instance.at.error(cycle, "Place one of them on the workspace.")
        passed.append(below)
