"""Lift a tray with a cube on it, by its two handles, and hold it level."""

import math

import numpy as np

from ambidex.envs.objects.aloha.cubes import cube
from ambidex.envs.objects.aloha.tray import FLOOR, LENGTH, RIM, RIM_HEIGHT, WIDTH, tray
from ambidex.envs.registry import HORIZONS
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import Prop, Task, UniformPose
from ambidex.envs.tasks.aloha.conditions import ARMS, TABLE_GAP, at_rest, offset, released, tilt
from ambidex.envs.tasks.aloha.initial_poses import around

HALF_EDGE = 0.02  # of the cube [m]
LIFTED, RAISED = 0.03, 0.10  # heights of the tray's lowest point above the table [m]
MAX_TILT = math.radians(10.0)
CUBE_OFFSET = 0.05  # largest one of the cube from the middle of the tray, along its x and y axes [m]
HALF_SIZE = np.array([LENGTH / 2, WIDTH / 2, RIM_HEIGHT / 2])  # of the box around the tray without the handles [m]
CUBE_GAP = 1e-5  # between cube and tray at the beginning [m]


def _around(tray_poses: UniformPose, on_tray: UniformPose) -> UniformPose:
    """Poses in the world of what stands on the tray: in a box that is as large as any yaw of the tray can need."""
    reach = math.hypot(on_tray.high[0], on_tray.high[1])
    low, high = np.array(tray_poses.low), np.array(tray_poses.high)
    margin, height = np.array([reach, reach, 0.0]), np.array([0.0, 0.0, on_tray.low[2]])
    return UniformPose(low=tuple(low - margin + height), high=tuple(high + margin + height), yaw=on_tray.yaw)


TRAY_POSES = around((0.0, 0.5), (0.02, 0.03), height=TABLE_GAP, turn=math.radians(10.0), wide_turn=math.radians(20.0))
ON_TRAY = around((0.0, 0.0), (CUBE_OFFSET, CUBE_OFFSET), height=FLOOR + HALF_EDGE + CUBE_GAP, turn=math.pi)
"""Poses of the cube in the frame of the tray."""


class LiftTray(Task):
    """A tray with a handle for each arm; the cube on it slides if the arms do not move together."""

    name = "lift_tray"
    family = "aloha"
    robot = "viperx_bimanual"
    coordination = "rigid pair"
    instruction = "lift the tray with both arms by its handles and hold it level, with the cube on it"
    horizon = HORIZONS["lift_tray"]
    stages = ("none", "touched by both arms", "held by both arms", "lifted", "raised level with the cube")
    props = (
        Prop(body="tray", mjcf=tray, initial_poses=TRAY_POSES),
        Prop(
            body="cube",
            mjcf=cube("cube", "blue", HALF_EDGE),
            initial_poses={spread: _around(TRAY_POSES[spread], ON_TRAY[spread]) for spread in TRAY_POSES},
        ),
    )
    contact_groups = {
        "handles": ("left_handle", "right_handle"),
        "left_handle": ("left_handle",),
        "right_handle": ("right_handle",),
    }

    def initial_ranges(self, spread: str) -> dict[str, tuple[UniformPose, ...]]:
        return {}  # neither the tray, which carries the cube, nor the cube stands on the table by itself

    def reset_scene(self, scene: Scene, rng: np.random.Generator, spread: str) -> None:
        pose = TRAY_POSES[spread].sample(rng)
        scene.reset({"tray": pose, "cube": pose @ ON_TRAY[spread].sample(rng)})

    def stage(self, scene: Scene) -> int:
        lowest, both_hold = _lowest(scene.body_pose("tray")), _held_by_both(scene)
        if both_hold and lowest >= LIFTED:
            return 4 if lowest >= RAISED and _is_level(scene) and _carries_cube(scene) else 3
        touched = all(scene.groups_touch("handles", f"{arm}_fingers") for arm in ARMS)
        return 2 if both_hold else int(touched)

    def checks(self, scene: Scene) -> dict[str, bool]:
        return {
            "10 cm above the table": _lowest(scene.body_pose("tray")) >= RAISED,
            "level": _is_level(scene),
            "cube on the tray": _carries_cube(scene),
            "cube released": released(scene, "cube"),
            "held by both arms": _held_by_both(scene),
            "all at rest": at_rest(scene, "tray", "cube"),
        }


def _lowest(pose: Pose) -> float:
    """Height of the tray's lowest point [m]."""
    centre = pose @ Pose.at((0.0, 0.0, RIM_HEIGHT / 2))
    return float(centre.position[2] - HALF_SIZE @ [abs(pose.axis(i)[2]) for i in range(3)])


def _is_level(scene: Scene) -> bool:
    return tilt(scene.body_pose("tray")) <= MAX_TILT


def _carries_cube(scene: Scene) -> bool:
    """Whether the cube touches the tray, with its centre above the floor within the rim."""
    x, y, z = offset(scene, "cube", "tray")
    inside = abs(x) <= LENGTH / 2 - RIM and abs(y) <= WIDTH / 2 - RIM and z > FLOOR
    return bool(inside) and scene.groups_touch("cube", "tray")


def _held_by_both(scene: Scene) -> bool:
    return all(scene.grasped("handles", arm) for arm in ARMS)
