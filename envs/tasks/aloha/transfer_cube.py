"""Hand a cube over from the right gripper to the left. Objects, ranges and stages: the ACT simulation."""

import math

from ambidex.assets.paths import OBJECTS
from ambidex.envs.registry import HORIZONS
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import Prop, Task, UniformPose
from ambidex.envs.tasks.aloha.conditions import at_rest

HALF_EDGE = 0.02  # [m]
MIN_HEIGHT = 0.05  # of the cube's lowest face above the table [m]


class TransferCube(Task):
    """The right arm picks the cube up and hands it to the left."""

    name = "transfer_cube"
    family = "aloha"
    robot = "viperx_bimanual"
    coordination = "sequential"
    instruction = "pick up the red cube with the right arm and hand it over to the left arm"
    horizon = HORIZONS["transfer_cube"]
    stages = ("none", "touched", "lifted", "reached by left", "lifted with left")
    props = (
        Prop(
            body="cube",
            mjcf=OBJECTS / "cube.xml",
            initial_poses={
                "published": UniformPose(low=(0.0, 0.4, 0.05), high=(0.2, 0.6, 0.05)),
                "wide": UniformPose(low=(-0.02, 0.34, 0.05), high=(0.26, 0.66, 0.05), yaw=(-math.pi, math.pi)),
            },
        ),
    )
    contact_groups = {"cube": ("red_box",)}

    def stage(self, scene: Scene) -> int:
        """ACT's reward 0..4, but with unordered contact pairs and either finger."""
        on_table = scene.groups_touch("cube", "table")
        if scene.groups_touch("cube", "left_fingers"):
            return 3 if on_table else 4
        if scene.groups_touch("cube", "right_fingers"):
            return 1 if on_table else 2
        return 0

    def checks(self, scene: Scene) -> dict[str, bool]:
        pose = scene.body_pose("cube")
        lowest = pose.position[2] - HALF_EDGE * sum(abs(pose.axis(i)[2]) for i in range(3))
        return {
            "held by both left fingers": scene.grasped("cube", "left"),
            "free of the right gripper": not scene.groups_touch("cube", "right_arm"),
            "5 cm above the table": bool(lowest >= MIN_HEIGHT) and not scene.groups_touch("cube", "table"),
            "nearly at rest": at_rest(scene, "cube"),
        }
