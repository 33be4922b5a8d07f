"""Which room belongs to which BDDL problem."""

from collections.abc import Callable, Mapping
from functools import cache

from ambidex.envs.arenas.arena import Arena
from ambidex.envs.registry import resolve

ARENAS: Mapping[str, str] = {
    "libero_tabletop_manipulation": "ambidex.envs.arenas.tabletop:make_arena",
    "libero_kitchen_tabletop_manipulation": "ambidex.envs.arenas.kitchen:make_arena",
    "libero_study_tabletop_manipulation": "ambidex.envs.arenas.study:make_arena",
    "libero_living_room_tabletop_manipulation": "ambidex.envs.arenas.living_room:make_arena",
    "libero_floor_manipulation": "ambidex.envs.arenas.floor:make_arena",
}


def arena(problem: str) -> Arena:
    """The room of a BDDL problem, its name in any case.

    Raises:
        UnknownNameError: No room is known for it; the message says for which there is one.
    """
    return _arena(problem.lower())


@cache
def _arena(problem: str) -> Arena:
    make: Callable[[], Arena] = resolve("BDDL problem", problem, ARENAS)  # type: ignore[assignment]
    return make()
