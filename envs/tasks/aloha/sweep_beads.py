"""Sweep beads into a dustpan with a brush, put the brush down, and lift the pan."""

import math

import numpy as np

from ambidex.envs.objects.aloha.dustpan_and_brush import (
    BACK,
    BEAD_HALF_HEIGHT,
    BEAD_MARGIN,
    BEAD_RADIUS,
    MOUTH,
    PAN_HEIGHT,
    PAN_WALL,
    PAN_WIDTH,
    bead,
    brush,
    dustpan,
    inside_pan,
)
from ambidex.envs.registry import HORIZONS
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import Prop, Task, UniformPose
from ambidex.envs.tasks.aloha.conditions import TABLE_GAP, at_rest, positions_in, released, tilt
from ambidex.envs.tasks.aloha.initial_poses import FACTORS, around
from ambidex.envs.types import FloatArray

BEADS = tuple(f"bead_{number}" for number in range(12))
ENOUGH = 10  # beads in the pan
LIFTED = 0.03  # height of the pan's lowest point above the table [m]
MAX_TILT = math.radians(10.0)
PAN_CENTRE, PAN_EXTENT, PAN_YAW = (-0.2, 0.5), (0.02, 0.04), math.radians(15.0)  # of the initial poses [m, rad]
BRUSH_CENTRE, BRUSH_EXTENT, BRUSH_YAW = (0.19, 0.38), (0.02, 0.03), math.radians(20.0)
BEADS_CENTRE, BEADS_EXTENT = (0.02, 0.5), (0.02, 0.02)
BEADS_HEIGHT = BEAD_HALF_HEIGHT + BEAD_MARGIN + TABLE_GAP  # of their middles [m]
BEADS_RADIUS = 0.05  # of the disc in which the middles of the beads lie [m]
BEADS_APART = 2 * (BEAD_RADIUS + BEAD_MARGIN) + 0.0003  # between the middles of two beads, at least [m]
PAN_HALF = np.array([(MOUTH - BACK + PAN_WALL) / 2, PAN_WIDTH / 2 + PAN_WALL, PAN_HEIGHT / 2])  # without handle [m]


PAN_POSES = around(PAN_CENTRE, PAN_EXTENT, height=TABLE_GAP, turn=PAN_YAW)
BRUSH_POSES = around(BRUSH_CENTRE, BRUSH_EXTENT, height=TABLE_GAP, turn=BRUSH_YAW)
MIDDLES = around(BEADS_CENTRE, BEADS_EXTENT, height=BEADS_HEIGHT)
"""Distributions of the middle of the disc in which the beads lie."""
BEAD_POSES = around(BEADS_CENTRE, (BEADS_EXTENT[0] + BEADS_RADIUS, BEADS_EXTENT[1] + BEADS_RADIUS), height=BEADS_HEIGHT)


class SweepBeads(Task):
    """The dustpan is on the left arm's side, the brush on the right one's, and the beads lie between them."""

    name = "sweep_beads"
    family = "aloha"
    robot = "viperx_bimanual"
    coordination = "hold and act"
    instruction = (
        "hold the dustpan with the left arm, sweep the beads into it with the brush in the right arm, "
        "then put the brush on the table and lift the dustpan level"
    )
    horizon = HORIZONS["sweep_beads"]
    stages = (
        "none",
        "dustpan or brush held",
        "both held",
        "first bead in the dustpan",
        "enough beads in the dustpan",
        "dustpan lifted",
        "brush put down",
    )
    props = (
        Prop(
            body="dustpan", mjcf=dustpan, initial_poses=around(PAN_CENTRE, PAN_EXTENT, height=TABLE_GAP, turn=PAN_YAW)
        ),
        Prop(
            body="brush", mjcf=brush, initial_poses=around(BRUSH_CENTRE, BRUSH_EXTENT, height=TABLE_GAP, turn=BRUSH_YAW)
        ),
        *(Prop(body=name, mjcf=bead(number), initial_poses=BEAD_POSES) for number, name in enumerate(BEADS)),
    )

    def initial_ranges(self, spread: str) -> dict[str, tuple[UniformPose, ...]]:
        """Of the tools: the beads lie close together, so that one cannot be moved by itself."""
        return {prop.body: (prop.initial_poses[spread],) for prop in self.props[:2]}

    def reset_scene(self, scene: Scene, rng: np.random.Generator, spread: str) -> None:
        """Place the tools, and strew the beads in a disc without overlap."""
        poses = {prop.body: prop.initial_poses[spread].sample(rng) for prop in self.props[:2]}
        middle = MIDDLES[spread].sample(rng)
        places = _strewn(rng, FACTORS[spread] * BEADS_RADIUS)
        scene.reset(poses | {name: middle.shifted((*place, 0.0)) for name, place in zip(BEADS, places, strict=True)})

    def stage(self, scene: Scene) -> int:
        count = len(beads_inside(scene))
        if count >= ENOUGH:
            if not _is_lifted(scene):
                return 4
            return 6 if _is_put_down(scene) else 5
        if count:
            return 3
        return int(scene.grasped("dustpan", "left")) + int(scene.grasped("brush", "right"))

    def checks(self, scene: Scene) -> dict[str, bool]:
        inside = beads_inside(scene)
        return {
            f"{ENOUGH} of {len(BEADS)} beads in the dustpan": len(inside) >= ENOUGH,
            "dustpan held by the left arm, 3 cm above the table": _is_lifted(scene),
            "dustpan level": tilt(scene.body_pose("dustpan")) <= MAX_TILT,
            "brush on the table, released": _is_put_down(scene),
            "beads in the dustpan released": released(scene, *inside),
            "all at rest": at_rest(scene, "dustpan", "brush", *inside),
        }


def beads_inside(scene: Scene) -> tuple[str, ...]:
    """The beads whose middle is between the walls of the pan, above its underside and below their tops."""
    inside = inside_pan(positions_in(scene, BEADS, of="dustpan"))
    return tuple(name for name, is_inside in zip(BEADS, inside, strict=True) if is_inside)


def _is_lifted(scene: Scene) -> bool:
    pose = scene.body_pose("dustpan")
    middle = pose @ Pose.at(((BACK - PAN_WALL + MOUTH) / 2, 0.0, PAN_HEIGHT / 2))
    lowest = float(middle.position[2] - PAN_HALF @ [abs(pose.axis(i)[2]) for i in range(3)])
    return lowest >= LIFTED and scene.grasped("dustpan", "left")


def _is_put_down(scene: Scene) -> bool:
    return scene.groups_touch("brush", "table") and released(scene, "brush")


def _strewn(rng: np.random.Generator, radius: float) -> list[FloatArray]:
    """Places (2,) [m] of the beads in a disc; they cover a third of it at most, so that the next one finds a place."""
    places: list[FloatArray] = []
    while len(places) < len(BEADS):
        place = rng.uniform(-radius, radius, 2)
        if np.hypot(*place) <= radius and all(np.hypot(*(place - other)) >= BEADS_APART for other in places):
            places.append(place)
    return places
