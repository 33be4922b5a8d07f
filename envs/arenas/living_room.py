"""Living room: a low table on parquet with a rug; the robot stands on a block beside it."""

import mujoco

from ambidex.envs.arenas.arena import Arena
from ambidex.envs.arenas.furniture import add_floor, add_table, add_walls
from ambidex.envs.arenas.room import Room
from ambidex.envs.objects.grain import board
from ambidex.envs.objects.shapes import box
from ambidex.envs.objects.surfaces import boards, cloth, plaster
from ambidex.envs.pose import Pose

SURFACE = 0.437
BASE_Z = 0.42


def make_spec() -> mujoco.MjSpec:
    room = Room("living_room", SURFACE)
    add_floor(room, boards((0.58, 0.42, 0.26), (0.80, 0.63, 0.43), 8, 41), span=1.0)
    add_walls(room, plaster((0.76, 0.80, 0.84), 42))
    room.show(board((-1.7, -1.5, 0.0), (1.2, 1.5, 0.012), 1, 0.3), texture=cloth((0.66, 0.62, 0.55), 43))
    top = boards((0.47, 0.40, 0.33), (0.70, 0.62, 0.53), 4, 44, lengths=0)
    add_table(room, (-0.35, -0.8, SURFACE - 0.024), (0.35, 0.8, SURFACE), top, (0.30, 0.28, 0.27), span=0.7)
    room.show(box((-0.66, -0.16, 0.0), (-0.38, 0.16, BASE_Z)), (0.46, 0.47, 0.49))
    room.stand_on_floor("floor")
    room.camera("agentview", (0.6065773716836134, 0.0, 0.96), (0.6182166934, 0.3432307541, 0.3432314396, 0.6182177067))
    return room.spec


def make_arena() -> Arena:
    return Arena(
        name="living_room",
        problem="libero_living_room_tabletop_manipulation",
        workspace="living_room_table",
        offset=(0.0, 0.0, 0.41),
        surface_z=SURFACE,
        region_z=0.41,
        fixture_z=0.41 + 0.01 - 0.024,
        base=Pose.at((-0.51, 0.0, BASE_Z)),
        mount="ground",
        make_spec=make_spec,
    )
