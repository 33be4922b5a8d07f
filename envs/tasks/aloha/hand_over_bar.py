"""Hand a long bar over in the air, from the right gripper to the left, and lay it across a bowl on the left side."""

import math

import numpy as np

from ambidex.envs.objects.aloha.bar_and_bowl import BAR_HALF_SIZE, bar, bowl
from ambidex.envs.registry import HORIZONS
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import Prop, Task
from ambidex.envs.tasks.aloha.conditions import TABLE_GAP, at_rest, released, tilt
from ambidex.envs.tasks.aloha.initial_poses import around

BAR_AT, BOWL_AT = (0.17, 0.5), (-0.22, 0.5)  # centres of the ranges [m]
BAR_EXTENT, BOWL_EXTENT = (0.05, 0.1), (0.05, 0.1)  # half lengths of the ranges [m]
BAR_YAW = math.radians(30.0)
MIDDLE = 0.1  # largest distance of a presented bar from the cell's middle line [m]
PRESENTED = 0.1  # least height of the centre of a presented bar [m]
MAX_OFFSET = 0.035  # of the bar's centre from the bowl's axis, half the bowl's radius [m]
MAX_SLOPE = math.radians(10.0)  # of the bar, and of the bowl


class HandOverBar(Task):
    """The right arm picks the bar up near one end, so that the left one can take the other."""

    name = "hand_over_bar"
    family = "aloha"
    robot = "viperx_bimanual"
    coordination = "sequential"
    instruction = "pick up the bar with the right arm, hand it over to the left arm, and lay it across the bowl"
    horizon = HORIZONS["hand_over_bar"]
    stages = ("none", "picked up", "presented", "held by both", "held by left alone", "on the bowl")
    props = (
        Prop(
            body="bar",
            mjcf=bar,
            initial_poses=around(
                BAR_AT, BAR_EXTENT, height=BAR_HALF_SIZE[2] + TABLE_GAP, turn=BAR_YAW, wide_turn=math.pi
            ),
        ),
        Prop(
            body="bowl",
            mjcf=bowl,
            initial_poses=around(BOWL_AT, BOWL_EXTENT, height=TABLE_GAP, turn=math.pi),
        ),
    )

    def stage(self, scene: Scene) -> int:
        if lies_across(scene):
            return 5
        if scene.groups_touch("bar", "table"):
            return 0
        right, left = scene.grasped("bar", "right"), scene.grasped("bar", "left")
        if left:
            return 3 if scene.groups_touch("bar", "right_arm") else 4
        x, _, z = scene.body_pose("bar").position
        return (2 if abs(x) <= MIDDLE and z >= PRESENTED else 1) if right else 0

    def checks(self, scene: Scene) -> dict[str, bool]:
        return {
            "bar across the bowl": lies_across(scene),
            "bar off the table": not scene.groups_touch("bar", "table"),
            "bowl upright": tilt(scene.body_pose("bowl")) <= MAX_SLOPE,
            "both released": released(scene, "bar", "bowl"),
            "both at rest": at_rest(scene, "bar", "bowl"),
        }


def lies_across(scene: Scene) -> bool:
    """Whether the bar touches the bowl, is level, and has its centre near the bowl's axis."""
    bar_pose, bowl_pose = scene.body_pose("bar"), scene.body_pose("bowl")
    apart = bar_pose.position - bowl_pose.position
    level = abs(bar_pose.axis(0)[2]) <= math.sin(MAX_SLOPE)
    return bool(np.hypot(apart[0], apart[1]) <= MAX_OFFSET and level) and scene.groups_touch("bar", "bowl")
