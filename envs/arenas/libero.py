"""Tabletop: a plain wooden table in a bright room, for libero_spatial and libero_goal."""

import mujoco

from ambidex.envs.arenas.arena import Arena
from ambidex.envs.arenas.room import Room, add_floor, add_table, add_walls
from ambidex.envs.objects.building.mesh import joined
from ambidex.envs.objects.building.shapes import box
from ambidex.envs.objects.building.surfaces import board, boards, cloth, plaster, tiles
from ambidex.envs.simulation.pose import Pose

TABLETOP_SURFACE = 0.90
AGENTVIEW = (
    (0.6586131746834771, 0.0, 1.6103500240372423),
    (0.6380177736, 0.3048497438, 0.3048498631, 0.6380177736),
)


def tabletop_spec() -> mujoco.MjSpec:
    room = Room("tabletop", TABLETOP_SURFACE)
    add_floor(room, tiles((0.72, 0.72, 0.70), (0.58, 0.58, 0.57), 4, 11), span=1.6)
    add_walls(room, plaster((0.80, 0.82, 0.80), 12))
    top = boards((0.66, 0.52, 0.37), (0.87, 0.75, 0.58), 8, 13)
    add_table(
        room, (-0.5, -0.6, TABLETOP_SURFACE - 0.05), (0.5, 0.6, TABLETOP_SURFACE), top, (0.78, 0.66, 0.50), span=0.9
    )
    room.stand_on_floor("floor")
    room.camera("agentview", *AGENTVIEW)
    return room.spec


def tabletop() -> Arena:
    return Arena(
        name="tabletop",
        problem="libero_tabletop_manipulation",
        workspace="main_table",
        offset=(0.0, 0.0, TABLETOP_SURFACE),
        surface_z=TABLETOP_SURFACE,
        region_z=0.895,
        fixture_z=TABLETOP_SURFACE + 0.01 - 0.05,
        base=Pose.at((-0.66, 0.0, 0.912)),
        mount="mounted",
        make_spec=tabletop_spec,
    )


# FOLDED envs.arenas.kitchen: Kitchen: a stone worktop on cupboards, tiled walls.

KITCHEN_SURFACE = 0.90
LOW, HIGH = (-0.5, -0.6, KITCHEN_SURFACE - 0.05), (0.5, 0.6, KITCHEN_SURFACE)


def kitchen_spec() -> mujoco.MjSpec:
    room = Room("kitchen", KITCHEN_SURFACE)
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


def kitchen() -> Arena:
    return Arena(
        name="kitchen",
        problem="libero_kitchen_tabletop_manipulation",
        workspace="kitchen_table",
        offset=(0.0, 0.0, KITCHEN_SURFACE),
        surface_z=KITCHEN_SURFACE,
        region_z=0.875,
        fixture_z=KITCHEN_SURFACE + 0.01 - 0.05,
        base=Pose.at((-0.66, 0.0, 0.912)),
        mount="mounted",
        make_spec=kitchen_spec,
    )


# FOLDED envs.arenas.living_room: Living room: a low table on parquet with a rug; the robot stands on a block beside it.

LIVING_ROOM_SURFACE = 0.437
BASE_Z = 0.42


def living_room_spec() -> mujoco.MjSpec:
    room = Room("living_room", LIVING_ROOM_SURFACE)
    add_floor(room, boards((0.58, 0.42, 0.26), (0.80, 0.63, 0.43), 8, 41), span=1.0)
    add_walls(room, plaster((0.76, 0.80, 0.84), 42))
    room.show(board((-1.7, -1.5, 0.0), (1.2, 1.5, 0.012), 1, 0.3), texture=cloth((0.66, 0.62, 0.55), 43))
    top = boards((0.47, 0.40, 0.33), (0.70, 0.62, 0.53), 4, 44, lengths=0)
    add_table(
        room,
        (-0.35, -0.8, LIVING_ROOM_SURFACE - 0.024),
        (0.35, 0.8, LIVING_ROOM_SURFACE),
        top,
        (0.30, 0.28, 0.27),
        span=0.7,
    )
    room.show(box((-0.66, -0.16, 0.0), (-0.38, 0.16, BASE_Z)), (0.46, 0.47, 0.49))
    room.stand_on_floor("floor")
    room.camera("agentview", (0.6065773716836134, 0.0, 0.96), (0.6182166934, 0.3432307541, 0.3432314396, 0.6182177067))
    return room.spec


def living_room() -> Arena:
    return Arena(
        name="living_room",
        problem="libero_living_room_tabletop_manipulation",
        workspace="living_room_table",
        offset=(0.0, 0.0, 0.41),
        surface_z=LIVING_ROOM_SURFACE,
        region_z=0.41,
        fixture_z=0.41 + 0.01 - 0.024,
        base=Pose.at((-0.51, 0.0, BASE_Z)),
        mount="ground",
        make_spec=living_room_spec,
    )


# FOLDED envs.arenas.study: Study: a dark desk on a carpet.

STUDY_SURFACE = 0.885
OFFSET = (-0.2, 0.0, 0.867)


def study_spec() -> mujoco.MjSpec:
    room = Room("study", STUDY_SURFACE)
    add_floor(room, cloth((0.42, 0.47, 0.55), 31), span=0.25)
    add_walls(room, plaster((0.84, 0.79, 0.68), 32), skirting=(0.45, 0.30, 0.20))
    top = boards((0.33, 0.19, 0.11), (0.56, 0.36, 0.22), 4, 33, lengths=0)
    # LIBERO's desk is 1.0 m deep about x = -0.2; ours ends 8 cm earlier at the back, for the robot's stand.
    add_table(room, (-0.62, -0.6, STUDY_SURFACE - 0.05), (0.3, 0.6, STUDY_SURFACE), top, (0.38, 0.23, 0.14), span=0.6)
    room.stand_on_floor("floor")
    room.camera(
        "agentview",
        (0.4586131746834771, 0.0, 1.6103500240372423),
        (0.6380177736, 0.3048497438, 0.3048498631, 0.6380177736),
    )
    return room.spec


def study() -> Arena:
    return Arena(
        name="study",
        problem="libero_study_tabletop_manipulation",
        workspace="study_table",
        offset=OFFSET,
        surface_z=STUDY_SURFACE,
        region_z=0.867,
        fixture_z=OFFSET[2] + 0.01 - 0.05,
        base=Pose.at((-0.75, 0.0, 0.912)),
        mount="mounted",
        make_spec=study_spec,
    )


# FOLDED envs.arenas.floor: Floor: things and robot stand on the tiles of an empty room, for libero_object.

OFFSET_Z = -0.035


def floor_spec() -> mujoco.MjSpec:
    room = Room("floor", 0.0)
    add_floor(room, tiles((0.80, 0.79, 0.76), (0.66, 0.65, 0.63), 4, 51), span=1.2)
    add_walls(room, plaster((0.72, 0.79, 0.82), 52))
    room.stand_on_floor("table")
    room.camera(
        "agentview", (0.8965773716836134, 5.2e-07, 0.65), (0.6182166934, 0.3432307541, 0.3432314396, 0.6182177067)
    )
    return room.spec


def floor() -> Arena:
    return Arena(
        name="floor",
        problem="libero_floor_manipulation",
        workspace="floor",
        offset=(0.0, 0.0, OFFSET_Z),
        surface_z=0.0,
        region_z=0.02,
        fixture_z=OFFSET_Z + 0.01,
        base=Pose.at((-0.6, 0.0, 0.0)),
        mount="ground",
        make_spec=floor_spec,
    )
