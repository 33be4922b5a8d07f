"""Floor: things and robot stand on the tiles of an empty room, for libero_object."""

import mujoco

from ambidex.envs.arenas.arena import Arena
from ambidex.envs.arenas.furniture import add_floor, add_walls
from ambidex.envs.arenas.room import Room
from ambidex.envs.objects.surfaces import plaster, tiles
from ambidex.envs.pose import Pose

OFFSET_Z = -0.035


def make_spec() -> mujoco.MjSpec:
    room = Room("floor", 0.0)
    add_floor(room, tiles((0.80, 0.79, 0.76), (0.66, 0.65, 0.63), 4, 51), span=1.2)
    add_walls(room, plaster((0.72, 0.79, 0.82), 52))
    room.stand_on_floor("table")
    room.camera(
        "agentview", (0.8965773716836134, 5.2e-07, 0.65), (0.6182166934, 0.3432307541, 0.3432314396, 0.6182177067)
    )
    return room.spec


def make_arena() -> Arena:
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
        make_spec=make_spec,
    )
