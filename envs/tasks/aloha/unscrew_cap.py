"""Unscrew the cap of a bottle that the other arm holds, and put it on the table."""

import math

import numpy as np

from ambidex.envs.objects.aloha.bottle import CAP_BOTTOM, STIFF, TURNS, bottle, cap
from ambidex.envs.registry import HORIZONS
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import Prop, UniformPose
from ambidex.envs.tasks.aloha.capped_object import CappedObjectTask
from ambidex.envs.tasks.aloha.conditions import TABLE_GAP, at_rest, released, tilt
from ambidex.envs.tasks.aloha.initial_poses import around

HALF_TURN = math.pi
APART = 0.05  # between the cap and the bottle, seen from above [m]
UPRIGHT = math.radians(10.0)


def _initial_poses(height: float) -> dict[str, UniformPose]:
    return around((0.0, 0.5), (0.04, 0.05), height=height, turn=0.5, wide_turn=math.pi)


class UnscrewCap(CappedObjectTask):
    """The left arm holds the bottle where it stands, the right arm turns the cap by one and a half turns."""

    name = "unscrew_cap"
    family = "aloha"
    robot = "viperx_bimanual"
    coordination = "hold and act"
    instruction = "hold the bottle with the left arm, unscrew its cap with the right arm, and put the cap on the table"
    horizon = HORIZONS["unscrew_cap"]
    stages = ("none", "bottle held", "half a turn", "cap free", "cap off", "cap on the table")
    props = (
        Prop(body="bottle", mjcf=bottle, initial_poses=_initial_poses(TABLE_GAP)),
        Prop(body="cap", mjcf=cap, initial_poses=_initial_poses(CAP_BOTTOM + TABLE_GAP)),
    )
    seat = "thread"
    cap_on_object = Pose.at((0.0, 0.0, CAP_BOTTOM))
    frees_at = math.radians(360.0 * TURNS - 5.0)
    stiffness = STIFF

    def stage(self, scene: Scene) -> int:
        if self.cap_is_free(scene):
            if _distance(scene) < APART:
                return 3
            return 5 if scene.groups_touch("cap", "table") and released(scene, "cap") else 4
        if scene.grasped("bottle", "left"):
            return 2 if self.seat_position(scene) >= HALF_TURN else 1
        return 0

    def checks(self, scene: Scene) -> dict[str, bool]:
        return {
            "cap unscrewed": self.cap_is_free(scene),
            "cap on the table, 5 cm from the bottle": scene.groups_touch("cap", "table") and _distance(scene) >= APART,
            "bottle upright on the table": tilt(scene.body_pose("bottle")) <= UPRIGHT
            and scene.groups_touch("bottle", "table"),
            "both released": released(scene, "bottle", "cap"),
            "both at rest": at_rest(scene, "bottle", "cap"),
        }


def _distance(scene: Scene) -> float:
    between = scene.body_pose("cap").position - scene.body_pose("bottle").position
    return float(np.hypot(between[0], between[1]))
