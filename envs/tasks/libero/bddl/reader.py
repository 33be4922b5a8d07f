"""BDDL text to a checked `Problem`. Reads LIBERO's grammar (its own files unchanged); executes nothing."""

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


def read_problem(path: Path, name: str = "") -> Problem:
    """The definition in a file.

    Args:
        path: The file.
        name: What the problem is called, if not as the file.

    Raises:
        DefinitionError: No such file, or one that is no sound definition; says the line and the column.
    """
    if not path.is_file():
        raise DefinitionError(f"{path} is no file. Give the path of a BDDL definition, such as my_task.bddl.")
    with path.open("rb") as file:
        content = file.read(4 * MAX_CHARACTERS + 1)
    return parse_problem(_decoded(content, str(path)), source=str(path), name=name or path.stem)


def _decoded(content: bytes, source: str) -> str:
    if len(content) > 4 * MAX_CHARACTERS:
        raise Location(source, 1, 1).error(f"the file is too long for a definition: over {4 * MAX_CHARACTERS:,} bytes.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        at = Location(source, before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        raise at.error(f"byte 0x{content[error.start]:02x} is not UTF-8 text. Is this a definition?") from None


def parse_problem(text: str, *, source: str = "<text>", name: str = "task") -> Problem:
    """The definition in a text.

    Args:
        text: What a file holds.
        source: What messages call it.
        name: What the problem is called, for a file its name without .bddl.

    Raises:
        DefinitionError: It is no sound definition; says the line and the column.
    """
    found = sections(parse(text, source))
    fixtures, objects = declarations(found[":fixtures"]), declarations(found[":objects"])
    check_distinct([*fixtures, *objects])
    problem = known(only_word(found["problem"], "the problem class"), "problem class", WORKSPACES)
    names = _names(found, problem, fixtures, objects)
    init = init_atoms(found[":init"], names)
    check_placements([*fixtures, *objects], init, names)
    _check_domain(found.get(":domain"))
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
        raise found[":fixtures"].at.error(f"the fixtures of {problem} must have `{workspace} - {kind}` among them.")
    others = [item for item in fixtures if item.instance.text != workspace]
    names = Names(
        workspace=workspace,
        fixtures=_by_category(others, True),
        objects=_by_category(objects, False),
        regions=regions(found[":regions"]),
    )
    _check_no_region_is_a_thing(found[":regions"], names)
    return names


def _by_category(declared: list[Declaration], fixed: bool) -> dict[str, str]:
    for item in declared:
        category = known(item.category, "category", categories())
        if object_properties(category).is_fixture != fixed:
            kind, section = ("an object", ":objects") if fixed else ("a fixture", ":fixtures")
            raise item.category.at.error(f"{category} is {kind}; declare {item.instance.text} in ({section} ...).")
    return {item.instance.text: item.category.text for item in declared}


def _check_no_region_is_a_thing(section: Group, names: Names) -> None:
    both = [name for name in names.regions if name in names.categories or name == names.workspace]
    if both:
        raise section.at.error(f"{both[0]} is the name of a thing and the full name of a region. Rename one.")


def _check_domain(section: Group | None) -> None:
    if section is not None:
        known(only_word(section, "the domain"), "domain", (DOMAIN,))


def _language(section: Group | None) -> str:
    return "" if section is None else " ".join(word(item, "plain words").text for item in section.tail)


def _of_interest(section: Group | None, names: Names) -> tuple[str, ...]:
    if section is None:
        return ()
    everything = [*names.categories, *names.regions, names.workspace]
    return tuple(known(word(item, "a name"), "object of interest", everything) for item in section.tail)


# FOLDED envs.tasks.libero.placement_checks: Whether a definition says of every thing, once, where it starts.


def check_placements(declared: Iterable[Declaration], init: Iterable[tuple[Atom, Location]], names: Names) -> None:
    """Refuse a start that leaves something out, places it twice, or hangs in the air.

    Raises:
        DefinitionError: So it is.
    """
    supports: dict[str, str] = {}
    for atom, at in init:
        _check_initial(atom, at)
        if atom.predicate in ("on", "in"):
            _place(atom, at, supports, names)
    for item in declared:
        if item.instance.text not in supports and item.instance.text != names.workspace:
            raise item.instance.at.error(
                f"{item.instance.text} has no place: :init says neither (On ...) nor (In ...)."
            )
        _check_grounded(item, supports)


def _check_initial(atom: Atom, at: Location) -> None:
    if atom.predicate == "up":
        raise at.error("up can be reached but not begun with; expected on, in, open, close, turnon or turnoff.")


def _place(atom: Atom, at: Location, supports: dict[str, str], names: Names) -> None:
    name, support = atom.arguments
    owner = names.regions[support].target if support in names.regions else support
    if name in supports:
        raise at.error(f"{name} is placed a second time. Everything has one place.")
    if name in names.fixtures and owner != names.workspace:
        raise at.error(f"fixture {name} can only start on a region of {names.workspace}, not on {support}.")
    supports[name] = owner


def _check_grounded(item: Declaration, supports: Mapping[str, str]) -> None:
    passed = [item.instance.text]
    while (below := supports.get(passed[-1])) is not None:
        if below in passed:
            raise item.instance.at.error(
                f"these stand on each other in a ring: {', '.join(passed)}. Ground one of them."
            )
        passed.append(below)
