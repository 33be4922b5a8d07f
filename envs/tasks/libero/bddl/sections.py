"""Splits a definition into sections, and reads declarations, initial atoms and the goal.

Invalid text raises DefinitionError with line and column.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ambidex.envs.tasks.libero.bddl.lexer import Expression, Group, Location, Word, group, shown, word
from ambidex.envs.tasks.libero.bddl.names import REQUIRED_SECTIONS, RESERVED_PREFIX, SECTIONS, Names, known
from ambidex.envs.tasks.libero.bddl.problem import Atom

NAME = re.compile(r"[a-z0-9_][a-z0-9_-]{0,99}", re.ASCII)
MAX_INSTANCES = 64
MAX_ATOMS = 256
CONNECTIVES = ("or", "not", "exists", "forall", "imply", "when")
ARGUMENTS: Mapping[str, tuple[Callable[[Names, Word], str], ...]] = {
    "on": (Names.instance, Names.support),
    "in": (Names.object, Names.container),
    "open": (Names.openable,),
    "close": (Names.openable,),
    "turnon": (Names.switchable,),
    "turnoff": (Names.switchable,),
    "up": (Names.object,),
}
"""Predicate -> the check of each argument."""


def sections(root: Group) -> Mapping[str, Group]:
    """Section name -> the whole section, from (define (problem NAME) (:domain ...) ...)."""
    define = root.head("define")
    if define.text != "define":
        raise define.at.error(f"got {shown(define.text)}, expected define: a definition starts with (define (problem.")
    found: dict[str, Group] = {}
    for item in root.tail:
        section = group(item, "a section such as (:objects ...)")
        name = section.head("the name of a section")
        known(name, "section", SECTIONS)
        if name.text in found:
            raise name.at.error(f"section {name.text} is given twice; the first is in line {found[name.text].at.line}.")
        found[name.text] = section
    missing = [name for name in REQUIRED_SECTIONS if name not in found]
    if missing:
        raise root.at.error(f"the definition has no {' and no '.join(f'({name} ...)' for name in missing)}.")
    return found


def only_word(section: Group, expected: str) -> Word:
    """The one word of a section such as (:domain robosuite)."""
    if len(section.tail) != 1:
        raise section.at.error(f"got {len(section.tail)} values, expected one: {expected}.")
    return word(section.tail[0], expected)


def plain_name(found: Word) -> Word:
    """`found`, which must consist of letters, digits, underscores and dashes."""
    if not NAME.fullmatch(found.text):
        raise found.at.error(f"got {shown(found.text)}, expected a name of letters, digits and underscores.")
    return found


@dataclass(frozen=True)
class Declaration:
    """An instance and its category, with their positions in the file."""

    instance: Word
    category: Word


def declarations(section: Group) -> list[Declaration]:
    """The content of :fixtures or :objects, lists such as `plate_1 bowl_1 bowl_2 - bowl`, in order."""
    found: list[Declaration] = []
    names: list[Word] = []
    words = iter(word(item, "a name") for item in section.tail)
    for item in words:
        if item.text != "-":
            names.append(plain_name(item))
            continue
        found += _declare(item, names, next(words, None))
        names = []
    if names:
        raise names[0].at.error(f"{names[0].text} has no category; expected `{names[0].text} - category`.")
    return found


def _declare(dash: Word, names: list[Word], category: Word | None) -> list[Declaration]:
    if category is None or not names:
        raise dash.at.error("a dash must stand between instances and their category: `plate_1 plate_2 - plate`.")
    return [Declaration(name, plain_name(category)) for name in names]


def check_distinct(found: list[Declaration]) -> None:
    """Check that no instance is declared twice, that there are not too many, and that none has the robot's prefix."""
    seen: set[str] = set()
    for item in found:
        name = item.instance
        if name.text in seen:
            raise name.at.error(f"{name.text} is declared twice.", "Give every instance its own name.")
        if name.text.startswith(RESERVED_PREFIX):
            raise name.at.error(f"names that start with {RESERVED_PREFIX} are reserved for the robot.")
        if len(seen) == MAX_INSTANCES:
            raise name.at.error(f"more than {MAX_INSTANCES} instances are declared.")
        seen.add(name.text)


def init_atoms(section: Group, names: Names) -> list[tuple[Atom, Location]]:
    """The atoms of :init with their positions."""
    _check_count(section)
    return [(_atom(item, names), item.at) for item in section.tail]


def goal_atoms(section: Group, names: Names) -> tuple[Atom, ...]:
    """The atoms of :goal, which is one atom, or (And ...) of several."""
    if len(section.tail) != 1:
        raise section.at.error(f"got {len(section.tail)} goals, expected one: (:goal (And (On a b) ...)).")
    found: list[Atom] = []
    for item in _conjunction(section.tail[0]):
        atom = _atom(item, names)
        if atom in found:
            raise item.at.error(f"{atom} is in the goal twice.", "Remove one.")
        found.append(atom)
    if not found:
        raise section.at.error("the goal is empty.", "Name at least one atom.")
    return tuple(found)


def _conjunction(expression: Expression) -> Iterator[Group]:
    found = group(expression, "an atom such as (On a b)")
    head = found.head("a predicate")
    if head.text in CONNECTIVES:
        raise head.at.error(f"{head.text} is not supported; a goal is (And ...) of atoms.")
    if head.text != "and":
        yield found
        return
    _check_count(found)
    for item in found.tail:
        yield from _conjunction(item)


def _atom(expression: Expression, names: Names) -> Atom:
    found = group(expression, "an atom such as (On a b)")
    head = found.head("a predicate")
    predicate = known(head, "predicate", ARGUMENTS)
    arguments, checks = [word(item, "a name") for item in found.tail], ARGUMENTS[predicate]
    if len(arguments) != len(checks):
        raise head.at.error(f"{predicate} got {len(arguments)} arguments, expected {len(checks)}.")
    checked = tuple(check(names, argument) for check, argument in zip(checks, arguments, strict=True))
    _check_not_itself(checked, names, arguments[-1])
    return Atom(predicate, checked)


def _check_not_itself(checked: tuple[str, ...], names: Names, last: Word) -> None:
    target = names.regions[checked[-1]].target if checked[-1] in names.regions else checked[-1]
    if len(checked) == 2 and checked[0] == target:
        raise last.at.error(f"{checked[0]} cannot be on or in {shown(checked[-1])}, which is itself.")


def _check_count(found: Group) -> None:
    if len(found.tail) > MAX_ATOMS:
        raise found.at.error(f"got {len(found.tail)} atoms, at most {MAX_ATOMS} are allowed.")
