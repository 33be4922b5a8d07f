"""Pour beads from one cup into another, and put both cups back on the table."""

import math

import mujoco
import numpy as np

from ambidex.envs.objects.aloha.cups import CUP_HEIGHT, INNER_RADIUS, bead, cup
from ambidex.envs.registry import HORIZONS
from ambidex.envs.robot import FALLING_TIMESTEP
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import Prop, Task, UniformPose
from ambidex.envs.tasks.aloha.conditions import TABLE_GAP, at_rest, held, positions_in, released, tilt
from ambidex.envs.tasks.aloha.initial_poses import around

SOURCE_AT, TARGET_AT = (0.12, 0.5), (-0.12, 0.5)  # centres of the ranges [m]
EXTENT = (0.03, 0.06)  # half lengths of the ranges [m]
BEADS = tuple(f"bead_{number}" for number in range(12))
ENOUGH = 11  # beads in the target
MOST = 0.8  # share of the beads for the stage before the last
UPRIGHT = math.radians(10.0)
FALLING_STEP = 0.0005  # of the physics while something falls [s]
BEAD_PLACES = (
    *((-0.004007, 0.0, 0.010986), (0.013194, 0.013147, 0.010987), (-0.013095, 0.013226, 0.010986)),
    *((-0.018003, 0.0, 0.010985), (-0.013095, -0.013226, 0.010986), (0.013194, -0.013147, 0.010987)),
    *((0.018002, 0.0, 0.010986), (0.006997, 0.0, 0.019632), (0.000064, 0.018001, 0.010987)),
    *((-0.016718, 0.007046, 0.02301), (-0.016718, -0.007046, 0.02301), (0.000064, -0.018001, 0.010987)),
)
"""Of the beads in the frame of the red cup [m]. Dropped into it in two layers they came to rest there."""


class PourBeads(Task):
    """The right arm pours from the red cup into the blue one, which the left arm holds."""

    name = "pour_beads"
    family = "aloha"
    robot = "viperx_bimanual"
    coordination = "hold and act"
    instruction = "pour the beads from the red cup into the blue cup, and put both cups on the table"
    horizon = HORIZONS["pour_beads"]
    stages = ("none", "both cups held", "both cups lifted", "first bead", "most beads", "cups put down")
    props = (
        Prop(
            body="source",
            mjcf=cup("source", (0.78, 0.2, 0.16)),
            initial_poses=around(SOURCE_AT, EXTENT, height=TABLE_GAP),
        ),
        Prop(
            body="target",
            mjcf=cup("target", (0.2, 0.36, 0.7)),
            initial_poses=around(TARGET_AT, EXTENT, height=TABLE_GAP),
        ),
        *(Prop(body=name, mjcf=bead(name, (0.95, 0.8, 0.3)), initial_poses={}) for name in BEADS),
    )

    def finish_model(self, spec: mujoco.MjSpec) -> None:
        """Make the steps of the physics shorter while beads fall."""
        spec.add_numeric(name=FALLING_TIMESTEP, data=[FALLING_STEP])

    def initial_ranges(self, spread: str) -> dict[str, tuple[UniformPose, ...]]:
        return {"target": (self.props[1].initial_poses[spread],)}  # without the cup that has beads in it

    def reset_scene(self, scene: Scene, rng: np.random.Generator, spread: str) -> None:
        """Place the cups, the red one with the beads in it."""
        cups = {prop.body: prop.initial_poses[spread].sample(rng) for prop in self.props[:2]}
        beads = {name: cups["source"] @ Pose.at(place) for name, place in zip(BEADS, BEAD_PLACES, strict=True)}
        scene.reset(cups | beads)

    def stage(self, scene: Scene) -> int:
        inside = beads_inside(scene, "target")
        if inside >= MOST * len(BEADS):
            put_down = released(scene, "source", "target") and inside >= ENOUGH
            return 5 if put_down and _stand(scene) else 4
        if inside:
            return 3
        if held(scene, "source") and held(scene, "target"):
            on_table = scene.groups_touch("source", "table") or scene.groups_touch("target", "table")
            return 1 if on_table else 2
        return 0

    def checks(self, scene: Scene) -> dict[str, bool]:
        return {
            f"{ENOUGH} of {len(BEADS)} beads in the blue cup": beads_inside(scene, "target") >= ENOUGH,
            "both cups upright on the table": _stand(scene),
            "both cups released": released(scene, "source", "target"),
            "both cups at rest": at_rest(scene, "source", "target"),
        }


def beads_inside(scene: Scene, name: str) -> int:
    """How many beads have their centre within a cup."""
    positions = positions_in(scene, BEADS, of=name)
    along, across = positions[:, 2], np.hypot(positions[:, 0], positions[:, 1])
    return int(((along > 0.0) & (along < CUP_HEIGHT) & (across < INNER_RADIUS)).sum())


def _stand(scene: Scene) -> bool:
    return all(
        tilt(scene.body_pose(name)) <= UPRIGHT and scene.groups_touch(name, "table") for name in ("source", "target")
    )
