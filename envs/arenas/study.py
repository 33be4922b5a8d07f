"""Study: a dark desk on a carpet."""

import mujoco

from ambidex.envs.arenas.arena import Arena
from ambidex.envs.arenas.furniture import add_floor, add_table, add_walls
from ambidex.envs.arenas.room import Room
from ambidex.envs.objects.surfaces import boards, cloth, plaster
from ambidex.envs.pose import Pose

SURFACE = 0.885
OFFSET = (-0.2, 0.0, 0.867)


def make_spec() -> mujoco.MjSpec:
    room = Room("study", SURFACE)
    add_floor(room, cloth((0.42, 0.47, 0.55), 31), span=0.25)
    add_walls(room, plaster((0.84, 0.79, 0.68), 32), skirting=(0.45, 0.30, 0.20))
    top = boards((0.33, 0.19, 0.11), (0.56, 0.36, 0.22), 4, 33, lengths=0)
    # LIBERO's desk is 1.0 m deep about x = -0.2; ours ends 8 cm earlier at the back, for the robot's stand.
    add_table(room, (-0.62, -0.6, SURFACE - 0.05), (0.3, 0.6, SURFACE), top, (0.38, 0.23, 0.14), span=0.6)
    room.stand_on_floor("floor")
    room.camera(
        "agentview",
        (0.4586131746834771, 0.0, 1.6103500240372423),
        (0.6380177736, 0.3048497438, 0.3048498631, 0.6380177736),
    )
    return room.spec


def make_arena() -> Arena:
    return Arena(
        name="study",
        problem="libero_study_tabletop_manipulation",
        workspace="study_table",
        offset=OFFSET,
        surface_z=SURFACE,
        region_z=0.867,
        fixture_z=OFFSET[2] + 0.01 - 0.05,
        base=Pose.at((-0.75, 0.0, 0.912)),
        mount="mounted",
        make_spec=make_spec,
    )
