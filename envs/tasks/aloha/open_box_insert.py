"""Open the lid of a chest, which a spring closes, put a cube in while the lid is held open, and let it down."""

import math

from ambidex.envs.objects.aloha.chest import DEPTH, HEIGHT, LENGTH, WALL, chest
from ambidex.envs.objects.aloha.cubes import cube
from ambidex.envs.registry import HORIZONS
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import Prop, Task, UniformPose
from ambidex.envs.tasks.aloha.conditions import TABLE_GAP, at_rest, held, offset, released

HALF_EDGE = 0.015  # of the cube [m]
OPEN, CLOSED = math.radians(60.0), math.radians(5.0)  # the lid is open above, and closed below
WIDER = 1.5


def _chest_poses(factor: float) -> UniformPose:
    dx, dy, yaw = factor * 0.03, factor * 0.03, factor * math.radians(10.0)
    return UniformPose(low=(0.02 - dx, 0.53 - dy, 0.0), high=(0.02 + dx, 0.53 + dy, 0.0), yaw=(-yaw, yaw))


def _cube_poses(factor: float) -> UniformPose:
    dx, dy, height = factor * 0.035, factor * 0.06, HALF_EDGE + TABLE_GAP
    low, high = (0.265 - dx, 0.42 - dy, height), (0.265 + dx, 0.42 + dy, height)
    return UniformPose(low=low, high=high, yaw=(-math.pi, math.pi))


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
            initial_poses={"published": _chest_poses(1.0), "wide": _chest_poses(WIDER)},
        ),
        Prop(
            body="cube",
            mjcf=cube("cube", "red", HALF_EDGE),
            initial_poses={"published": _cube_poses(1.0), "wide": _cube_poses(WIDER)},
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
