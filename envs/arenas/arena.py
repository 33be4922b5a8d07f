"""A room as values: where things stand in it, where the robot stands, and the function that makes its model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import mujoco

from ambidex.envs.objects.fixtures.moving_parts import FOOTING
from ambidex.envs.simulation.pose import Pose
from ambidex.lookup import resolve


@dataclass(frozen=True, kw_only=True)
class Arena:
    """One of LIBERO's rooms. Figures: facts of LIBERO, sections 1.4 and 2.

    Attributes:
        name: Short name.
        problem: Problem name in BDDL, lower case.
        workspace: Name of the table or floor in BDDL.
        offset: Origin of the ranges of regions (3,) [m]; their z is not where things stand.
        surface_z: Height of the table's top or the floor [m].
        region_z: Height from which On(object, region of the workspace) counts [m].
        fixture_z: Height from which `FOOTING` counts for fixtures [m].
        base: Pose of the Panda's base.
        mount: What it stands on, "mounted" or "ground".
        make_spec: Makes the room's model, with a geom "table" to stand things on.
    """

    name: str
    problem: str
    workspace: str
    offset: tuple[float, float, float]
    surface_z: float
    region_z: float
    fixture_z: float
    base: Pose
    mount: str
    make_spec: Callable[[], mujoco.MjSpec]

    def fixture_height(self, category: str) -> float:
        """Height of a fixture's body frame in this room [m], as in LIBERO."""
        return self.fixture_z + FOOTING[category]


# FOLDED envs.arenas.registry: Which room belongs to which BDDL problem.

ARENAS: Mapping[str, str] = {
    "libero_tabletop_manipulation": "ambidex.envs.arenas.libero:tabletop",
    "libero_kitchen_tabletop_manipulation": "ambidex.envs.arenas.libero:kitchen",
    "libero_study_tabletop_manipulation": "ambidex.envs.arenas.libero:study",
    "libero_living_room_tabletop_manipulation": "ambidex.envs.arenas.libero:living_room",
    "libero_floor_manipulation": "ambidex.envs.arenas.libero:floor",
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
