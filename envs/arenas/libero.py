"""The five arenas of LIBERO."""

from collections.abc import Mapping
from dataclasses import replace

from ambidex.envs.arenas.arena import Arena
from ambidex.envs.arenas.builder import ArenaBuilder
from ambidex.envs.objects.building.mesh import merge
from ambidex.envs.objects.building.shapes import box
from ambidex.envs.objects.building.surfaces import board, boards, cloth, plaster, tiles
from ambidex.envs.simulation.pose import Pose
from ambidex.errors import check_name

FROM_ABOVE = (0.6380177736, 0.3048497438, 0.3048498631, 0.6380177736)  # orientations of `agentview`
FROM_FRONT = (0.6182166934, 0.3432307541, 0.3432314396, 0.6182177067)
LIVING_ROOM_BASE_Z = 0.42


def _furnish_tabletop(arena: ArenaBuilder) -> None:
    """A plain wooden table on tiles, for libero_spatial and libero_goal."""
    arena.add_floor(tiles((0.72, 0.72, 0.70), (0.58, 0.58, 0.57), 4, 11), span=1.6)
    arena.add_walls(plaster((0.80, 0.82, 0.80), 12))
    top = boards((0.66, 0.52, 0.37), (0.87, 0.75, 0.58), 8, 13)
    arena.add_table((-0.5, -0.6, 0.90 - 0.05), (0.5, 0.6, 0.90), top, (0.78, 0.66, 0.50), span=0.9)
    arena.add_floor_plane("floor")


def _furnish_kitchen(arena: ArenaBuilder) -> None:
    """A stone worktop on cupboards, tiled walls."""
    arena.add_floor(boards((0.50, 0.37, 0.26), (0.68, 0.53, 0.39), 8, 21), span=1.2)
    arena.add_walls(tiles((0.80, 0.86, 0.86), (0.92, 0.93, 0.92), 4, 22), span=0.6)
    low, high = (-0.5, -0.6, 0.90 - 0.05), (0.5, 0.6, 0.90)
    arena.add_box("table", low, high)
    arena.add_visual(board(low, high, 1, 0.8), texture=plaster((0.70, 0.69, 0.66), 23, 256))
    arena.add_visual(box((-0.46, -0.56, 0.08), (0.46, 0.56, low[2])), (0.36, 0.46, 0.50))
    arena.add_visual(box((-0.42, -0.52, 0.0), (0.42, 0.52, 0.08)), (0.20, 0.22, 0.24))
    fronts = [box((0.46, y, 0.12), (0.475, y + 0.35, 0.80)) for y in (-0.545, -0.175, 0.195)]
    arena.add_visual(merge(*fronts), (0.42, 0.53, 0.57))
    arena.add_floor_plane("floor")


def _furnish_living_room(arena: ArenaBuilder) -> None:
    """A low table on parquet with a rug; the robot stands on a block beside it."""
    arena.add_floor(boards((0.58, 0.42, 0.26), (0.80, 0.63, 0.43), 8, 41), span=1.0)
    arena.add_walls(plaster((0.76, 0.80, 0.84), 42))
    arena.add_visual(board((-1.7, -1.5, 0.0), (1.2, 1.5, 0.012), 1, 0.3), texture=cloth((0.66, 0.62, 0.55), 43))
    top = boards((0.47, 0.40, 0.33), (0.70, 0.62, 0.53), 4, 44, lengths=0)
    arena.add_table((-0.35, -0.8, 0.437 - 0.024), (0.35, 0.8, 0.437), top, (0.30, 0.28, 0.27), span=0.7)
    arena.add_visual(box((-0.66, -0.16, 0.0), (-0.38, 0.16, LIVING_ROOM_BASE_Z)), (0.46, 0.47, 0.49))
    arena.add_floor_plane("floor")


def _furnish_study(arena: ArenaBuilder) -> None:
    """A dark desk on a carpet."""
    arena.add_floor(cloth((0.42, 0.47, 0.55), 31), span=0.25)
    arena.add_walls(plaster((0.84, 0.79, 0.68), 32), skirting=(0.45, 0.30, 0.20))
    top = boards((0.33, 0.19, 0.11), (0.56, 0.36, 0.22), 4, 33, lengths=0)
    # LIBERO's desk is 1.0 m deep about x = -0.2; ours ends 8 cm earlier at the back, to leave space for the robot.
    arena.add_table((-0.62, -0.6, 0.885 - 0.05), (0.3, 0.6, 0.885), top, (0.38, 0.23, 0.14), span=0.6)
    arena.add_floor_plane("floor")


def _furnish_floor(arena: ArenaBuilder) -> None:
    """Objects and robot stand on tiles, for libero_object."""
    arena.add_floor(tiles((0.80, 0.79, 0.76), (0.66, 0.65, 0.63), 4, 51), span=1.2)
    arena.add_walls(plaster((0.72, 0.79, 0.82), 52))
    arena.add_floor_plane("table")


TABLETOP = Arena(
    name="tabletop",
    workspace="main_table",
    offset=(0.0, 0.0, 0.90),
    surface_z=0.90,
    region_z=0.895,
    fixture_z=0.90 + 0.01 - 0.05,
    base=Pose.at((-0.66, 0.0, 0.912)),
    mount="mounted",
    agentview=((0.6586131746834771, 0.0, 1.6103500240372423), FROM_ABOVE),
    furnish=_furnish_tabletop,
)
ARENAS: Mapping[str, Arena] = {
    "libero_tabletop_manipulation": TABLETOP,
    "libero_kitchen_tabletop_manipulation": replace(
        TABLETOP, name="kitchen", workspace="kitchen_table", region_z=0.875, furnish=_furnish_kitchen
    ),
    "libero_study_tabletop_manipulation": Arena(
        name="study",
        workspace="study_table",
        offset=(-0.2, 0.0, 0.867),
        surface_z=0.885,
        region_z=0.867,
        fixture_z=0.867 + 0.01 - 0.05,
        base=Pose.at((-0.75, 0.0, 0.912)),
        mount="mounted",
        agentview=((0.4586131746834771, 0.0, 1.6103500240372423), FROM_ABOVE),
        furnish=_furnish_study,
    ),
    "libero_living_room_tabletop_manipulation": Arena(
        name="living_room",
        workspace="living_room_table",
        offset=(0.0, 0.0, 0.41),
        surface_z=0.437,
        region_z=0.41,
        fixture_z=0.41 + 0.01 - 0.024,
        base=Pose.at((-0.51, 0.0, LIVING_ROOM_BASE_Z)),
        mount="ground",
        agentview=((0.6065773716836134, 0.0, 0.96), FROM_FRONT),
        furnish=_furnish_living_room,
    ),
    "libero_floor_manipulation": Arena(
        name="floor",
        workspace="floor",
        offset=(0.0, 0.0, -0.035),
        surface_z=0.0,
        region_z=0.02,
        fixture_z=-0.035 + 0.01,
        base=Pose.at((-0.6, 0.0, 0.0)),
        mount="ground",
        agentview=((0.8965773716836134, 5.2e-07, 0.65), FROM_FRONT),
        furnish=_furnish_floor,
    ),
}
"""BDDL problem class, in lower case -> arena."""


def arena_of(problem: str) -> Arena:
    """The arena of a BDDL problem class, given in any case.

    Raises:
        UnknownNameError: No arena for it; lists the known problem classes.
    """
    name = problem.lower()
    check_name("BDDL problem", name, ARENAS)
    return ARENAS[name]
