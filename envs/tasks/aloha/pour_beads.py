"""Pour beads from one cup into another, and put both cups back on the table."""

import math

import mujoco
import numpy as np

from ambidex.envs.objects.aloha.cups import BEAD_RADIUS, CUP_HEIGHT, FLOOR, INNER_RADIUS, bead, cup
from ambidex.envs.registry import HORIZONS
from ambidex.envs.robot import FALLING_TIMESTEP
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import Prop, Task, UniformPose
from ambidex.envs.tasks.aloha.conditions import TABLE_GAP, at_rest, held, released, tilt

BEADS = tuple(f"bead_{number}" for number in range(12))
ENOUGH = 11  # beads in the target
MOST = 0.8  # share of the beads for the stage before the last
UPRIGHT = math.radians(10.0)
SETTLE_STEPS = 300  # of the physics, in which the beads come to rest in the cup before an episode
GAP = 0.0003  # between beads before that [m]
FALLING_STEP = 0.0005  # of the physics while something falls [s]
IN_LAYER = 7  # one in the middle, six around it


def _initial_pose(x: tuple[float, float], y: float) -> UniformPose:
    return UniformPose(low=(x[0], 0.5 - y, TABLE_GAP), high=(x[1], 0.5 + y, TABLE_GAP))


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
            initial_poses={
                "published": _initial_pose((0.09, 0.15), 0.06),
                "wide": _initial_pose((0.075, 0.165), 0.09),
            },
        ),
        Prop(
            body="target",
            mjcf=cup("target", (0.2, 0.36, 0.7)),
            initial_poses={
                "published": _initial_pose((-0.15, -0.09), 0.06),
                "wide": _initial_pose((-0.165, -0.075), 0.09),
            },
        ),
        *(Prop(body=name, mjcf=bead(name, (0.95, 0.8, 0.3)), initial_poses={}) for name in BEADS),
    )

    def finish_model(self, spec: mujoco.MjSpec) -> None:
        """Make the steps of the physics shorter while beads fall."""
        spec.add_numeric(name=FALLING_TIMESTEP, data=[FALLING_STEP])

    @property
    def object_names(self) -> tuple[str, ...]:
        """The cups: the poses of the beads follow from theirs, but for the last moments."""
        return ("source", "target")

    def initial_ranges(self, spread: str) -> dict[str, tuple[UniformPose, ...]]:
        return {"target": (self.props[1].initial_poses[spread],)}  # without the cup that has beads in it

    def reset_scene(self, scene: Scene, rng: np.random.Generator, spread: str) -> None:
        """Place the cups, and let the beads come to rest in the red one."""
        cups = {prop.body: prop.initial_poses[spread].sample(rng) for prop in self.props[:2]}
        beads = {name: cups["source"] @ Pose.at(place) for name, place in zip(BEADS, bead_places(), strict=True)}
        scene.reset(cups | beads)
        scene.advance(SETTLE_STEPS)
        # The arms have sagged meanwhile: they start at home, and everything at rest.
        scene.reset(cups | {name: scene.body_pose(name) for name in BEADS})

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
    pose = scene.body_pose(name)
    positions = scene.body_poses(BEADS).reshape(-1, 7)[:, :3] - pose.position
    along = positions @ pose.axis(2)
    across = np.linalg.norm(positions - along[:, None] * pose.axis(2), axis=1)
    return int(((along > 0.0) & (along < CUP_HEIGHT) & (across < INNER_RADIUS)).sum())


def _stand(scene: Scene) -> bool:
    return all(
        tilt(scene.body_pose(name)) <= UPRIGHT and scene.groups_touch(name, "table") for name in ("source", "target")
    )


def bead_places() -> list[tuple[float, float, float]]:
    """Where the beads are put in the frame of the cup: in layers of one in the middle and six around it."""
    spacing = 2 * BEAD_RADIUS + GAP
    places = []
    for number in range(len(BEADS)):
        layer, place = divmod(number, IN_LAYER)
        turn = place * math.pi / 3 + layer * math.pi / 6
        out = spacing if place else 0.0
        height = FLOOR + BEAD_RADIUS + GAP + layer * spacing
        places.append((out * math.cos(turn), out * math.sin(turn), height))
    return places
