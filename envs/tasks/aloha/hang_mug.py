"""Hang a mug on the peg of a stand that the other arm holds."""

import math

from ambidex.envs.objects.aloha.mug_tree import HOLE, HOLE_HALF, mug, mug_tree, peg_ends
from ambidex.envs.registry import HORIZONS
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import Prop, Task, UniformPose
from ambidex.envs.tasks.aloha.conditions import TABLE_GAP, at_rest, held, released, tilt

MIN_HEIGHT = 0.03  # of the mug's base above the table [m]
UPRIGHT = math.radians(10.0)
ASIDE = -math.pi / 2  # yaw of a mug whose handle points away from the arms [rad]


def _initial_pose(x: tuple[float, float], y: float, yaw: tuple[float, float]) -> UniformPose:
    return UniformPose(low=(x[0], 0.5 - y, TABLE_GAP), high=(x[1], 0.5 + y, TABLE_GAP), yaw=yaw)


def _around(middle: float, degrees: float) -> tuple[float, float]:
    return middle - math.radians(degrees), middle + math.radians(degrees)


class HangMug(Task):
    """The left arm holds the stand, which would slide and tip, the right arm hangs the mug on it by its handle."""

    name = "hang_mug"
    family = "aloha"
    robot = "viperx_bimanual"
    coordination = "hold and act"
    instruction = "hold the stand with the left arm, and hang the yellow mug on its peg with the right arm"
    horizon = HORIZONS["hang_mug"]
    stages = ("none", "stand held", "mug lifted", "peg through the handle", "mug hangs")
    props = (
        Prop(
            body="mug",
            mjcf=mug,
            initial_poses={
                "published": _initial_pose((0.15, 0.22), 0.07, _around(ASIDE, 40.0)),
                "wide": _initial_pose((0.13, 0.24), 0.1, _around(ASIDE, 60.0)),
            },
        ),
        Prop(
            body="mug_tree",
            mjcf=mug_tree,
            initial_poses={
                "published": _initial_pose((-0.07, -0.03), 0.04, _around(0.0, 10.0)),
                "wide": _initial_pose((-0.08, -0.02), 0.06, _around(0.0, 15.0)),
            },
        ),
    )

    def stage(self, scene: Scene) -> int:
        if peg_in_handle(scene):
            return 4 if _hangs(scene) and not held(scene, "mug") else 3
        if held(scene, "mug_tree"):
            return 2 if held(scene, "mug") and not scene.groups_touch("mug", "table") else 1
        return 0

    def checks(self, scene: Scene) -> dict[str, bool]:
        return {
            "peg through the handle": peg_in_handle(scene),
            "mug hangs": _hangs(scene),
            "stand upright on the table": tilt(scene.body_pose("mug_tree")) <= UPRIGHT
            and scene.groups_touch("mug_tree", "table"),
            "both released": released(scene, "mug", "mug_tree"),
            "both at rest": at_rest(scene, "mug", "mug_tree"),
        }


def _hangs(scene: Scene) -> bool:
    in_air = scene.body_pose("mug").position[2] >= MIN_HEIGHT and not scene.groups_touch("mug", "table")
    return bool(in_air) and scene.bodies_touch("mug", "mug_tree")


def peg_in_handle(scene: Scene) -> bool:
    """Whether the axis of the peg passes through the opening of the mug's handle."""
    to_mug = scene.body_pose("mug").inverse() @ scene.body_pose("mug_tree")
    start, end = (to_mug @ Pose.at(point) for point in peg_ends())
    if start.position[1] * end.position[1] >= 0.0:
        return False
    share = start.position[1] / (start.position[1] - end.position[1])
    x, _, z = start.position + share * (end.position - start.position)
    return bool(abs(x - HOLE[0]) <= HOLE_HALF[0] and abs(z - HOLE[1]) <= HOLE_HALF[1])
