"""Whether a definition says of every thing, once, where it starts."""

from collections.abc import Iterable, Mapping

from ambidex.envs.tasks.libero.declarations import Declaration
from ambidex.envs.tasks.libero.location import Location
from ambidex.envs.tasks.libero.names import Names
from ambidex.envs.tasks.libero.problem import Atom


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
