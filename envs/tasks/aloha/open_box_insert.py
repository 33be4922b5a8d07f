"""Open the lid of a chest, which a spring closes, put a cube in while the lid is held open, and let it down."""

import math

from ambidex.envs.objects.aloha.chest import DEPTH, HEIGHT, LENGTH, WALL, chest
from ambidex.envs.objects.aloha.cubes import cube
from ambidex.envs.registry import HORIZONS
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import Prop, Task
from ambidex.envs.tasks.aloha.conditions import TABLE_GAP, at_rest, held, offset, released
from ambidex.envs.tasks.aloha.initial_poses import around

HALF_EDGE = 0.015  # of the cube [m]
CHEST_AT, CUBE_AT = (0.02, 0.53), (0.265, 0.42)  # centres of the ranges [m]
CHEST_EXTENT, CUBE_EXTENT = (0.03, 0.03), (0.035, 0.06)  # half lengths of the ranges [m]
CHEST_YAW = math.radians(10.0)
OPEN, CLOSED = math.radians(60.0), math.radians(5.0)  # the lid is open above, and closed below


class OpenBoxInsert(Task):
    """The left arm holds the lid open while the right one puts the cube in."""

    name = "open_box_insert"
    family = "aloha"
    robot = "viperx_bimanual"
    coordination = "hold and act"
    instruction = "open the chest with the left arm, put the cube into it with the right arm, and close the chest"
    horizon = HORIZONS["open_box_insert"]
    stages = (
        "none",
        "handle or cube held",
        "lid open",
        "cube held at the open chest",
        "cube in the chest",
        "lid closed",
    )
    props = (
        Prop(
            body="chest",
            mjcf=chest,
            parts=("lid",),
            fixed=True,
            initial_poses=around(CHEST_AT, CHEST_EXTENT, turn=CHEST_YAW),
        ),
        Prop(
            body="cube",
            mjcf=cube("cube", "red", HALF_EDGE),
            initial_poses=around(CUBE_AT, CUBE_EXTENT, height=HALF_EDGE + TABLE_GAP, turn=math.pi),
        ),
    )
    contact_groups = {"lid_handle": ("lid_handle",)}

    def stage(self, scene: Scene) -> int:
        if _is_inside(scene) and released(scene, "cube"):
            return 5 if lid_angle(scene) < CLOSED else 4
        if lid_angle(scene) >= OPEN:
            return 3 if held(scene, "cube") else 2
        return int(held(scene, "lid_handle") or held(scene, "cube"))

    def checks(self, scene: Scene) -> dict[str, bool]:
        return {
            "cube in the chest": _is_inside(scene),
            "lid closed": lid_angle(scene) < CLOSED,
            "cube and chest released": released(scene, "cube", "chest"),
            "all at rest": at_rest(scene, "cube", "lid"),
        }


def lid_angle(scene: Scene) -> float:
    """How far the lid is open [rad], 0 closed."""
    return scene.joint_position("lid_joint")


def _is_inside(scene: Scene) -> bool:
    """Whether the cube's centre is between the walls of the chest, above its floor and below their upper edges."""
    x, y, z = offset(scene, "cube", "chest")
    return bool(abs(x) <= LENGTH / 2 - WALL and abs(y) <= DEPTH / 2 - WALL and WALL < z < HEIGHT)
