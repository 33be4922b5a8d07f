"""Kitchen: a stone worktop on cupboards, tiled walls."""

import mujoco

from ambidex.envs.arenas.arena import Arena
from ambidex.envs.arenas.furniture import add_floor, add_walls
from ambidex.envs.arenas.room import Room
from ambidex.envs.arenas.tabletop import AGENTVIEW
from ambidex.envs.objects.grain import board
from ambidex.envs.objects.mesh import joined
from ambidex.envs.objects.shapes import box
from ambidex.envs.objects.surfaces import boards, plaster, tiles
from ambidex.envs.pose import Pose

SURFACE = 0.90
LOW, HIGH = (-0.5, -0.6, SURFACE - 0.05), (0.5, 0.6, SURFACE)


def make_spec() -> mujoco.MjSpec:
    room = Room("kitchen", SURFACE)
    add_floor(room, boards((0.50, 0.37, 0.26), (0.68, 0.53, 0.39), 8, 21), span=1.2)
    add_walls(room, tiles((0.80, 0.86, 0.86), (0.92, 0.93, 0.92), 4, 22), span=0.6)
    _add_island(room)
    room.stand_on_floor("floor")
    room.camera("agentview", *AGENTVIEW)
    return room.spec


def _add_island(room: Room) -> None:
    room.stand_on_box("table", LOW, HIGH)
    room.show(board(LOW, HIGH, 1, 0.8), texture=plaster((0.70, 0.69, 0.66), 23, 256))
    room.show(box((-0.46, -0.56, 0.08), (0.46, 0.56, LOW[2])), (0.36, 0.46, 0.50))
    room.show(box((-0.42, -0.52, 0.0), (0.42, 0.52, 0.08)), (0.20, 0.22, 0.24))
    fronts = [box((0.46, y, 0.12), (0.475, y + 0.35, 0.80)) for y in (-0.545, -0.175, 0.195)]
    room.show(joined(*fronts), (0.42, 0.53, 0.57))


def make_arena() -> Arena:
    return Arena(
        name="kitchen",
        problem="libero_kitchen_tabletop_manipulation",
        workspace="kitchen_table",
        offset=(0.0, 0.0, SURFACE),
        surface_z=SURFACE,
        region_z=0.875,
        fixture_z=SURFACE + 0.01 - 0.05,
        base=Pose.at((-0.66, 0.0, 0.912)),
        mount="mounted",
        make_spec=make_spec,
    )
