"""Pull the cap off a marker that the other arm holds, and lay both on the table."""

import math

import numpy as np

from ambidex.envs.objects.aloha.marker import (
    CAP_LENGTH,
    HALF_LENGTH,
    MOUTH,
    RADIUS,
    STIFF,
    STIFF_IMPEDANCE,
    TIP,
    TRAVEL,
    cap,
    marker,
)
from ambidex.envs.registry import HORIZONS
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import Prop, UniformPose
from ambidex.envs.tasks.aloha.capped_object import CappedObjectTask
from ambidex.envs.tasks.aloha.conditions import TABLE_GAP, at_rest, released
from ambidex.envs.tasks.aloha.initial_poses import around

LIFTED = 0.04  # height of the marker's middle [m]
APART = 0.05  # between the cap and the marker [m]
CENTRE, EXTENT = (-0.04, 0.5), (0.05, 0.08)  # of the range of the marker's middle: the left arm reaches all of it [m]
YAW = math.pi / 2  # largest at the beginning; at 0 the cap points to the right arm [rad]


def _initial_poses(reach: float) -> dict[str, UniformPose]:
    """Where a point is that lies on the marker's axis, `reach` [m] from its middle."""
    return around(CENTRE, EXTENT, height=RADIUS + TABLE_GAP, turn=YAW, margin=reach)


class RemoveLid(CappedObjectTask):
    """The left arm holds the marker in the air, the right arm pulls its cap off."""

    name = "remove_lid"
    family = "aloha"
    robot = "viperx_bimanual"
    coordination = "hold and act"
    instruction = "pick up the marker with the left arm, pull off its cap with the right arm, and lay both on the table"
    horizon = HORIZONS["remove_lid"]
    stages = ("none", "marker held", "marker lifted", "cap held", "cap free", "cap off", "both on the table")
    props = (
        Prop(body="marker", mjcf=marker, initial_poses=_initial_poses(0.0)),
        Prop(body="cap", mjcf=cap, initial_poses=_initial_poses(MOUTH)),
    )
    seat = "cap_seat"
    cap_on_object = Pose.at((MOUTH, 0.0, 0.0))
    frees_at = TRAVEL - 0.001
    stiffness, impedance = STIFF, STIFF_IMPEDANCE

    def stage(self, scene: Scene) -> int:
        if self.cap_is_free(scene):
            if _gap(scene) < APART:
                return 4
            return 6 if _on_table(scene, "marker", "cap") and released(scene, "marker", "cap") else 5
        if scene.grasped("marker", "left"):
            if scene.grasped("cap", "right"):
                return 3
            return 2 if scene.body_pose("marker").position[2] >= LIFTED else 1
        return 0

    def checks(self, scene: Scene) -> dict[str, bool]:
        return {
            "cap pulled off": self.cap_is_free(scene),
            "5 cm between cap and marker": _gap(scene) >= APART,
            "both on the table": _on_table(scene, "marker", "cap"),
            "both released": released(scene, "marker", "cap"),
            "both at rest": at_rest(scene, "marker", "cap"),
        }


def _on_table(scene: Scene, *bodies: str) -> bool:
    return all(scene.groups_touch(body, "table") for body in bodies)


def _gap(scene: Scene) -> float:
    """Distance of the marker, taken as a round rod, from the cap, taken as a ball around its middle [m].

    However the cap lies, its surface is not nearer by more than 4 mm, at corners.
    """
    marker = scene.body_pose("marker")
    middle = (marker.inverse() @ scene.body_pose("cap") @ Pose.at((CAP_LENGTH / 2, 0.0, 0.0))).position
    nearest = np.array([np.clip(middle[0], -HALF_LENGTH, TIP), 0.0, 0.0])
    return float(np.linalg.norm(middle - nearest)) - CAP_LENGTH / 2 - RADIUS
