"""Pull the cap off a marker that the other arm holds, and lay both on the table."""

import math

import mujoco
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
from ambidex.envs.task import Prop, Task, UniformPose
from ambidex.envs.tasks.aloha.conditions import TABLE_GAP, at_rest, released

FREE = TRAVEL - 0.001  # way of the cap from which on it is free [m]
LIFTED = 0.04  # height of the marker's middle [m]
APART = 0.05  # between the cap and the marker [m]
CENTRE, EXTENT = (-0.04, 0.5), (0.05, 0.08)  # of the range of the marker's middle: the left arm reaches all of it [m]
YAW = math.pi / 2  # largest at the beginning; at 0 the cap points to the right arm [rad]
WIDER = 1.5
FRICTION_FIT = "cap_on_marker"  # the constraint that holds the cap


def _initial_poses(reach: float) -> dict[str, UniformPose]:
    """Where a point is that lies on the marker's axis, `reach` [m] from its middle."""

    def spread(factor: float) -> UniformPose:
        (x, y), (dx, dy) = CENTRE, factor * np.array(EXTENT) + reach
        low, high = (x - dx, y - dy), (x + dx, y + dy)
        height = RADIUS + TABLE_GAP
        return UniformPose(low=(*low, height), high=(*high, height), yaw=(-factor * YAW, factor * YAW))

    return {"published": spread(1.0), "wide": spread(WIDER)}


class RemoveLid(Task):
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

    def finish_model(self, spec: mujoco.MjSpec) -> None:
        """Weld the cap to its seat on the marker, until it is free."""
        weld = spec.add_equality(name=FRICTION_FIT, type=mujoco.mjtEq.mjEQ_WELD, objtype=mujoco.mjtObj.mjOBJ_BODY)
        weld.name1, weld.name2 = "cap_seat", "cap"
        weld.data[:11] = (*(0, 0, 0), *(0, 0, 0), *(1, 0, 0, 0), 1)  # anchor, pose of the cap, scale of the torque
        weld.solref, weld.solimp = STIFF, STIFF_IMPEDANCE

    def reset_scene(self, scene: Scene, rng: np.random.Generator, spread: str) -> None:
        """Lay the marker on the table, with its cap on."""
        pose = self.props[0].initial_poses[spread].sample(rng)
        scene.reset({"marker": pose, "cap": pose @ Pose.at((MOUTH, 0.0, 0.0))})

    def initial_ranges(self, spread: str) -> dict[str, tuple[UniformPose, ...]]:
        return {}  # the perturbation that moves objects would leave the cap behind

    def update_constraints(self, scene: Scene) -> bool:
        """Let the cap go when it has been pulled far enough."""
        fit = scene.model.equality(FRICTION_FIT).id
        if not scene.data.eq_active[fit] or pulled(scene) < FREE:
            return False
        scene.data.eq_active[fit] = 0
        return True

    def stage(self, scene: Scene) -> int:
        if pulled(scene) >= FREE:
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
            "cap pulled off": pulled(scene) >= FREE,
            "5 cm between cap and marker": _gap(scene) >= APART,
            "both on the table": _on_table(scene, "marker", "cap"),
            "both released": released(scene, "marker", "cap"),
            "both at rest": at_rest(scene, "marker", "cap"),
        }


def pulled(scene: Scene) -> float:
    """How far the cap has been pulled [m]; its seat stays where the cap has left it."""
    return scene.joint_position("cap_seat_joint")


def _on_table(scene: Scene, *bodies: str) -> bool:
    return all(scene.groups_touch(body, "table") for body in bodies)


def _gap(scene: Scene) -> float:
    """The least that can be between the surfaces of the cap and of the marker [m], however the cap lies."""
    marker = scene.body_pose("marker")
    middle = (marker.inverse() @ scene.body_pose("cap") @ Pose.at((CAP_LENGTH / 2, 0.0, 0.0))).position
    nearest = np.array([np.clip(middle[0], -HALF_LENGTH, TIP), 0.0, 0.0])
    return float(np.linalg.norm(middle - nearest)) - CAP_LENGTH / 2 - RADIUS
