"""Unscrew the cap of a bottle that the other arm holds, and put it on the table."""

import math

import mujoco
import numpy as np

from ambidex.envs.objects.aloha.bottle import CAP_BOTTOM, STIFF, TURNS, bottle, cap
from ambidex.envs.registry import HORIZONS
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import Prop, Task, UniformPose
from ambidex.envs.tasks.aloha.conditions import TABLE_GAP, at_rest, released, tilt

FREE = math.radians(360.0 * TURNS - 5.0)  # turn of the cap from which on it is free [rad]
HALF_TURN = math.pi
APART = 0.05  # between the cap and the bottle, seen from above [m]
UPRIGHT = math.radians(10.0)
GRIP = "cap_on_thread"  # the constraint that holds the cap


def _initial_poses(height: float) -> dict[str, UniformPose]:
    def spread(x: float, y: float, yaw: float) -> UniformPose:
        z = height + TABLE_GAP
        return UniformPose(low=(-x, 0.5 - y, z), high=(x, 0.5 + y, z), yaw=(-yaw, yaw))

    return {"published": spread(0.04, 0.05, 0.5), "wide": spread(0.06, 0.075, math.pi)}


class UnscrewCap(Task):
    """The left arm holds the bottle where it stands, the right arm turns the cap by one and a half turns."""

    name = "unscrew_cap"
    family = "aloha"
    robot = "viperx_bimanual"
    coordination = "hold and act"
    instruction = "hold the bottle with the left arm, unscrew its cap with the right arm, and put the cap on the table"
    horizon = HORIZONS["unscrew_cap"]
    stages = ("none", "bottle held", "half a turn", "cap free", "cap off", "cap on the table")
    props = (
        Prop(body="bottle", mjcf=bottle, initial_poses=_initial_poses(0.0)),
        Prop(body="cap", mjcf=cap, initial_poses=_initial_poses(CAP_BOTTOM)),
    )

    def finish_model(self, spec: mujoco.MjSpec) -> None:
        """Weld the cap to the bottle's thread, until it is free."""
        weld = spec.add_equality(name=GRIP, type=mujoco.mjtEq.mjEQ_WELD, objtype=mujoco.mjtObj.mjOBJ_BODY)
        weld.name1, weld.name2 = "thread", "cap"
        weld.data[:11] = (*(0, 0, 0), *(0, 0, 0), *(1, 0, 0, 0), 1)  # anchor, pose of the cap, scale of the torque
        weld.solref = STIFF

    def reset_scene(self, scene: Scene, rng: np.random.Generator, spread: str) -> None:
        """Put the bottle on the table, with its cap screwed on."""
        pose = self.props[0].initial_poses[spread].sample(rng)
        scene.reset({"bottle": pose, "cap": pose @ Pose.at((0.0, 0.0, CAP_BOTTOM))})

    def initial_ranges(self, spread: str) -> dict[str, tuple[UniformPose, ...]]:
        return {}  # the perturbation that moves objects would leave the cap behind

    def update_constraints(self, scene: Scene) -> bool:
        """Let the cap go when it has been turned far enough."""
        grip = scene.model.equality(GRIP).id
        if not scene.data.eq_active[grip] or _turn(scene) < FREE:
            return False
        scene.data.eq_active[grip] = 0
        return True

    def stage(self, scene: Scene) -> int:
        if _turn(scene) >= FREE:
            if _distance(scene) < APART:
                return 3
            return 5 if scene.groups_touch("cap", "table") and released(scene, "cap") else 4
        if scene.grasped("bottle", "left"):
            return 2 if _turn(scene) >= HALF_TURN else 1
        return 0

    def checks(self, scene: Scene) -> dict[str, bool]:
        return {
            "cap unscrewed": _turn(scene) >= FREE,
            "cap on the table, 5 cm from the bottle": scene.groups_touch("cap", "table") and _distance(scene) >= APART,
            "bottle upright on the table": tilt(scene.body_pose("bottle")) <= UPRIGHT
            and scene.groups_touch("bottle", "table"),
            "both released": released(scene, "bottle", "cap"),
            "both at rest": at_rest(scene, "bottle", "cap"),
        }


def _turn(scene: Scene) -> float:
    """How far the thread is turned [rad]; it stays where the cap has left it."""
    return scene.joint_position("thread_joint")


def _distance(scene: Scene) -> float:
    between = scene.body_pose("cap").position - scene.body_pose("bottle").position
    return float(np.hypot(between[0], between[1]))
