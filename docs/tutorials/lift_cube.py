"""A complete task: the right arm lifts the cube by 10 cm. Copy it to envs/tasks/aloha/lift_cube.py and change it."""

import numpy as np

from ambidex.assets.paths import OBJECTS
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import Prop, Task, UniformPose

LIFTED = 0.12  # of the cube's centre above the table [m]
MAX_SPEED = 0.05  # [m/s]


class LiftCube(Task):
    """The right arm lifts the cube and holds it still."""

    name = "lift_cube"
    family = "aloha"
    robot = "viperx_bimanual"
    instruction = "lift the red cube with the right arm"
    horizon = 200  # control steps of 20 ms
    stages = ("none", "touched", "lifted")
    props = (
        Prop(
            body="cube",
            mjcf=OBJECTS / "cube.xml",
            initial_poses={
                "published": UniformPose(low=(0.0, 0.4, 0.02), high=(0.2, 0.6, 0.02)),
                "wide": UniformPose(low=(-0.02, 0.34, 0.02), high=(0.26, 0.66, 0.02), yaw=(-0.8, 0.8)),
            },
        ),
    )
    contact_groups = {"cube": ("red_box",)}  # names of geoms in cube.xml

    def stage(self, scene: Scene) -> int:
        """How far the episode is; an index into `stages`."""
        if not scene.groups_touch("cube", "right_fingers"):
            return 0
        return 1 if scene.groups_touch("cube", "table") else 2

    def checks(self, scene: Scene) -> dict[str, bool]:
        """The conditions of success. All must hold for 0.2 s."""
        linear, _ = scene.body_velocity("cube")
        return {
            "held by both right fingers": scene.grasped("cube", "right"),
            "10 cm above the table": bool(scene.body_pose("cube").position[2] >= LIFTED),
            "nearly at rest": bool(np.linalg.norm(linear) <= MAX_SPEED),
        }
