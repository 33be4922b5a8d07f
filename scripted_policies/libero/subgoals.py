"""One thing to be done."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from ambidex.envs.tasks.libero.bddl.problem import Atom, Problem
from ambidex.errors import UsageError


class Work(StrEnum):
    """Kinds of jobs."""

    OPEN = "open"
    CLOSE = "close"
    TURN_ON = "turn on"
    TURN_OFF = "turn off"
    PUT = "put"


@dataclass(frozen=True)
class Job:
    """A job.

    Attributes:
        work: Its kind.
        thing: For PUT the object; otherwise the joint: "<fixture>_top_level", "<fixture>_microjoint" or
            "<fixture>_button".
        atom: The goal atom behind it; for a drawer that is opened in passing, the atom that needs it.
    """

    work: Work
    thing: str
    atom: Atom


# FOLDED scripted_policies.libero.jobs: From goal atoms to jobs in an order that works.

CABINETS = ("wooden_cabinet", "white_cabinet")
LEVELS = ("top", "middle", "bottom")
TURNS = {"turnon": Work.TURN_ON, "turnoff": Work.TURN_OFF}
PUTS = ("on", "in")
LIDS = ("open", "close")


def jobs(problem: Problem, holds: Callable[[Atom], bool], stands_open: Callable[[str], bool]) -> tuple[Job, ...]:
    """What is still to be done, in order.

    Drawers nothing goes into are closed first, knobs turned, what has to be open is opened, things are put (a
    support before what stands on it), and at last what things went into is closed.

    Args:
        problem: The task.
        holds: Whether an atom is true now.
        stands_open: Whether the drawer or door of a joint is open wide enough to put things in.
    """
    missing = [atom for atom in problem.goal if not holds(atom)]
    puts = _supports_first([atom for atom in missing if atom.predicate in PUTS])
    receiving = {lid: atom for atom in puts if (lid := lid_of(problem, atom.arguments[1])) is not None}
    closed_last = [atom for atom in problem.goal if atom.predicate == "close" and _lid(problem, atom) in receiving]
    return (
        *(_job(problem, atom) for atom in missing if atom.predicate == "close" and atom not in closed_last),
        *(_job(problem, atom) for atom in missing if atom.predicate in TURNS),
        *(_job(problem, atom) for atom in missing if atom.predicate == "open"),
        *(Job(Work.OPEN, lid, atom) for lid, atom in receiving.items() if _to_open(problem, lid, missing, stands_open)),
        *(Job(Work.PUT, atom.arguments[0], atom) for atom in puts),
        *(_job(problem, atom) for atom in closed_last),
    )


def check_goal(problem: Problem) -> None:
    """Refuse a goal that the expert has no job for.

    Raises:
        UsageError: There is one; says what the expert can do.
    """
    for atom in problem.goal:
        if why := _impossible(problem, atom):
            raise UsageError(
                f"The expert cannot reach {atom} in {problem.name}: {why}. It puts objects on or in things (On, In), "
                "opens and closes single drawers and doors (Open, Close) and turns knobs (TurnOn, TurnOff)."
            )


def _impossible(problem: Problem, atom: Atom) -> str:
    """Why there is no job for an atom, "" if there is one."""
    name = atom.arguments[0]
    if atom.predicate in LIDS and lid_of(problem, name) is None:
        return f"{name} is not one drawer or door; name a drawer by its region, such as {name}_{LEVELS[0]}_region"
    if atom.predicate in PUTS and name not in problem.objects:
        return f"{name} is a fixture, which stays where it is"
    return "" if atom.predicate in (*LIDS, *PUTS, *TURNS) else f"it has no job for {atom.predicate}"


def lid_of(problem: Problem, name: str) -> str | None:
    """The joint that opens a region or fixture, None for what is always open."""
    owner = problem.owner(name)
    category = problem.categories.get(owner)
    if category == "microwave" and not name.endswith("_top_side"):
        return f"{owner}_microjoint"
    level = name.removeprefix(f"{owner}_").removesuffix("_region")
    return f"{owner}_{level}_level" if category in CABINETS and level in LEVELS else None


def _lid(problem: Problem, atom: Atom) -> str:
    lid = lid_of(problem, atom.arguments[0])
    if lid is None:
        raise ValueError(f"{atom}: {atom.arguments[0]} has neither a drawer nor a door that the expert knows.")
    return lid


def _job(problem: Problem, atom: Atom) -> Job:
    if atom.predicate in TURNS:
        return Job(TURNS[atom.predicate], f"{problem.owner(atom.arguments[0])}_button", atom)
    return Job(Work.OPEN if atom.predicate == "open" else Work.CLOSE, _lid(problem, atom), atom)


def _to_open(problem: Problem, lid: str, missing: Iterable[Atom], stands_open: Callable[[str], bool]) -> bool:
    asked = any(atom.predicate == "open" and _lid(problem, atom) == lid for atom in missing)
    return not asked and not stands_open(lid)


def _supports_first(puts: list[Atom]) -> list[Atom]:
    """The same atoms, each after the one that puts its support; file order otherwise."""
    ordered: list[Atom] = []
    waiting = list(puts)
    while waiting:
        things = {atom.arguments[0] for atom in waiting}
        ready = [atom for atom in waiting if atom.arguments[1] not in things]
        ordered += ready or waiting
        waiting = [atom for atom in waiting if ready and atom not in ready]
    return ordered
