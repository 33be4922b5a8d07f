"""The sections :init and :goal: predicates and what they are said of."""

from collections.abc import Callable, Iterator, Mapping

from ambidex.envs.tasks.libero.expression import Expression, Group, Word, group, shown, word
from ambidex.envs.tasks.libero.location import Location
from ambidex.envs.tasks.libero.names import Names
from ambidex.envs.tasks.libero.problem import Atom
from ambidex.envs.tasks.libero.vocabulary import PREDICATES, known

Check = Callable[[Names, Word], str]
ARGUMENTS: Mapping[str, tuple[Check, ...]] = {
    "on": (Names.thing, Names.support),
    "in": (Names.object, Names.container),
    "open": (Names.openable,),
    "close": (Names.openable,),
    "turnon": (Names.switchable,),
    "turnoff": (Names.switchable,),
    "up": (Names.object,),
}
CONNECTIVES = ("or", "not", "exists", "forall", "imply", "when")
MAX_ATOMS = 256


def init_atoms(section: Group, names: Names) -> list[tuple[Atom, Location]]:
    """How the episode starts, each atom with its place.

    Raises:
        DefinitionError: An atom that cannot be read or cannot be said of its arguments, or too many.
    """
    _check_count(section)
    return [(_atom(item, names), item.at) for item in section.tail]


def goal_atoms(section: Group, names: Names) -> tuple[Atom, ...]:
    """What must all hold: one atom, or (And ...) of them.

    Raises:
        DefinitionError: As `init_atoms`; another connective; nothing to reach; the same twice.
    """
    if len(section.tail) != 1:
        raise section.at.error(f"got {len(section.tail)} goals, expected one: (:goal (And (On a b) ...)).")
    found: list[Atom] = []
    for item in _conjunction(section.tail[0]):
        atom = _atom(item, names)
        if atom in found:
            raise item.at.error(f"{atom} is in the goal twice. Take one away.")
        found.append(atom)
    if not found:
        raise section.at.error("the goal is empty, so nothing could fail. Name at least one atom.")
    return tuple(found)


def _conjunction(expression: Expression) -> Iterator[Group]:
    found = group(expression, "an atom such as (On a b)")
    head = found.head("a predicate")
    if head.text in CONNECTIVES:
        raise head.at.error(f"{head.text} cannot be used here; a goal is (And ...) of atoms.")
    if head.text != "and":
        yield found
        return
    _check_count(found)
    for item in found.tail:
        yield from _conjunction(item)


def _atom(expression: Expression, names: Names) -> Atom:
    found = group(expression, "an atom such as (On a b)")
    head = found.head("a predicate")
    predicate = known(head, "predicate", PREDICATES)
    arguments = [word(item, "a name") for item in found.tail]
    if len(arguments) != PREDICATES[predicate]:
        raise head.at.error(f"{predicate} got {len(arguments)} arguments, expected {PREDICATES[predicate]}.")
    checked = tuple(check(names, argument) for check, argument in zip(ARGUMENTS[predicate], arguments, strict=True))
    _check_not_itself(checked, names, arguments[-1])
    return Atom(predicate, checked)


def _check_not_itself(checked: tuple[str, ...], names: Names, last: Word) -> None:
    target = names.regions[checked[-1]].target if checked[-1] in names.regions else checked[-1]
    if len(checked) == 2 and checked[0] == target:
        raise last.at.error(f"{checked[0]} cannot be on or in {shown(checked[-1])}, which is itself.")


def _check_count(found: Group) -> None:
    if len(found.tail) > MAX_ATOMS:
        raise found.at.error(f"got {len(found.tail)} atoms, at most {MAX_ATOMS} are read.")
