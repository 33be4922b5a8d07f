"""Subgoals of a task: the goal's atoms in an order in which skills can reach them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from ambidex.envs.tasks.libero.bddl.problem import Atom, Problem
from ambidex.errors import UsageError

CABINETS = ("wooden_cabinet", "white_cabinet")
LEVELS = ("top", "middle", "bottom")


class SubgoalKind(StrEnum):
    """What is to be done."""

    OPEN = "open"
    CLOSE = "close"
    TURN_ON = "turn on"
    TURN_OFF = "turn off"
    PUT = "put"


TURNS = {"turnon": SubgoalKind.TURN_ON, "turnoff": SubgoalKind.TURN_OFF}
PUTS = ("on", "in")
OPENS = ("open", "close")


@dataclass(frozen=True)
class Subgoal:
    """One thing to do, by one skill.

    Attributes:
        kind: What is to be done.
        target: For PUT the object; otherwise the joint: "<fixture>_top_level", "<fixture>_microjoint" or
            "<fixture>_button".
        atom: The goal atom that it serves; for a drawer that only has to be open meanwhile, the atom that needs this.
    """

    kind: SubgoalKind
    target: str
    atom: Atom


def ordered_subgoals(
    problem: Problem, holds: Callable[[Atom], bool], is_open: Callable[[str], bool]
) -> tuple[Subgoal, ...]:
    """The subgoals that are not reached yet, in order.

    First close drawers that nothing goes into, turn knobs, and open what has to be open; then put objects, a support
    before what stands on it; at last close what objects went into. `is_open` says whether the drawer or door of a joint
    is open wide enough to put objects in.
    """
    missing = [atom for atom in problem.goal if not holds(atom)]
    puts = _supports_first([atom for atom in missing if atom.predicate in PUTS])
    receiving = {joint: atom for atom in puts if (joint := opening_joint(problem, atom.arguments[1])) is not None}
    opens = [_of_fixture(problem, atom) for atom in missing if atom.predicate == "open"]
    to_open = receiving.keys() - {subgoal.target for subgoal in opens}
    closes = [_of_fixture(problem, atom) for atom in problem.goal if atom.predicate == "close"]
    return (
        *(subgoal for subgoal in closes if subgoal.atom in missing and subgoal.target not in receiving),
        *(_of_fixture(problem, atom) for atom in missing if atom.predicate in TURNS),
        *opens,
        *(Subgoal(SubgoalKind.OPEN, j, atom) for j, atom in receiving.items() if j in to_open and not is_open(j)),
        *(Subgoal(SubgoalKind.PUT, atom.arguments[0], atom) for atom in puts),
        *(subgoal for subgoal in closes if subgoal.target in receiving),
    )


def check_goal(problem: Problem) -> None:
    """Check that the expert has a subgoal for each atom of the goal.

    Raises:
        UsageError: It has none for an atom; fact `got`.
    """
    for atom in problem.goal:
        if reason := _why_impossible(problem, atom):
            raise UsageError(
                f"The expert cannot reach {atom} in {problem.name}: {reason}.",
                "It can put objects on or in others, open and close single drawers and doors, and turn knobs.",
                got=str(atom),
            )


def opening_joint(problem: Problem, name: str) -> str | None:
    """The joint that opens a region or fixture; None if it is always open."""
    owner = problem.owner(name)
    category = problem.categories.get(owner)
    if category == "microwave" and not name.endswith("_top_side"):
        return f"{owner}_microjoint"
    level = name.removeprefix(f"{owner}_").removesuffix("_region")
    return f"{owner}_{level}_level" if category in CABINETS and level in LEVELS else None


def _why_impossible(problem: Problem, atom: Atom) -> str:
    """Why there is no subgoal for an atom; "" if there is one."""
    name = atom.arguments[0]
    if atom.predicate in OPENS and opening_joint(problem, name) is None:
        return f"{name} is not one drawer or door; name a drawer by its region, such as {name}_{LEVELS[0]}_region"
    if atom.predicate in PUTS and name not in problem.objects:
        return f"{name} is a fixture, which cannot be moved"
    return "" if atom.predicate in (*OPENS, *PUTS, *TURNS) else f"it has no skill for {atom.predicate}"


def _of_fixture(problem: Problem, atom: Atom) -> Subgoal:
    name = atom.arguments[0]
    if atom.predicate in TURNS:
        return Subgoal(TURNS[atom.predicate], f"{problem.owner(name)}_button", atom)
    joint = opening_joint(problem, name)
    if joint is None:
        raise ValueError(f"{atom}: {name} has neither a drawer nor a door that the expert knows.")
    return Subgoal(SubgoalKind(atom.predicate), joint, atom)


def _supports_first(puts: Iterable[Atom]) -> list[Atom]:
    """The same atoms, each after the one that puts its support; otherwise in the order of the file."""
    ordered: list[Atom] = []
    waiting = list(puts)
    while waiting:
        objects = {atom.arguments[0] for atom in waiting}
        ready = [atom for atom in waiting if atom.arguments[1] not in objects]
        ordered += ready or waiting
        waiting = [atom for atom in waiting if ready and atom not in ready]
    return ordered
