"""Tabletop: a plain wooden table in a bright room, for libero_spatial and libero_goal."""

import mujoco

from ambidex.envs.arenas.arena import Arena
from ambidex.envs.arenas.furniture import add_floor, add_table, add_walls
from ambidex.envs.arenas.room import Room
from ambidex.envs.objects.surfaces import boards, plaster, tiles
from ambidex.envs.pose import Pose

SURFACE = 0.90
AGENTVIEW = (
    (0.6586131746834771, 0.0, 1.6103500240372423),
    (0.6380177736, 0.3048497438, 0.3048498631, 0.6380177736),
)


def make_spec() -> mujoco.MjSpec:
    room = Room("tabletop", SURFACE)
    add_floor(room, tiles((0.72, 0.72, 0.70), (0.58, 0.58, 0.57), 4, 11), span=1.6)
    add_walls(room, plaster((0.80, 0.82, 0.80), 12))
    top = boards((0.66, 0.52, 0.37), (0.87, 0.75, 0.58), 8, 13)
    add_table(room, (-0.5, -0.6, SURFACE - 0.05), (0.5, 0.6, SURFACE), top, (0.78, 0.66, 0.50), span=0.9)
    room.stand_on_floor("floor")
    room.camera("agentview", *AGENTVIEW)
    return room.spec


def make_arena() -> Arena:
    return Arena(
        name="tabletop",
        problem="libero_tabletop_manipulation",
        workspace="main_table",
        offset=(0.0, 0.0, SURFACE),
        surface_z=SURFACE,
        region_z=0.895,
        fixture_z=SURFACE + 0.01 - 0.05,
        base=Pose.at((-0.66, 0.0, 0.912)),
        mount="mounted",
        make_spec=make_spec,
    )
