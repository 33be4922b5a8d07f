"""Push a plug into a socket block that stands on the table; one arm holds the block, the other one the plug."""

import math

import numpy as np

from ambidex.envs.objects.aloha.plug_and_socket import FACE, GRIP_HALF_SIZE, SOCKET_HALF_SIZE, TIP, plug, socket
from ambidex.envs.registry import HORIZONS, VARIANT_HORIZONS
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import Prop, Task
from ambidex.envs.tasks.aloha.conditions import TABLE_GAP, at_rest, released, tilt
from ambidex.envs.tasks.aloha.initial_poses import around
from ambidex.envs.types import FloatArray

PLUG_AT, SOCKET_AT = (0.18, 0.5), (-0.06, 0.5)  # centres of the ranges [m]
PLUG_EXTENT, SOCKET_EXTENT = (0.05, 0.1), (0.04, 0.06)  # half lengths of the ranges [m]
YAW = math.radians(30.0)  # of the socket's hole from the right, of the pin from the left, both ways
DEPTH = 0.025  # of the pin in the hole at the goal [m]
IN_HOLE = 0.01  # [m]
NEAR = 0.03  # largest distance between the pin and the mouth when they are aligned [m]
MAX_OFFSET = 0.006  # of the pin's end from the axis of the hole [m]
MAX_ANGLE = math.radians(10.0)  # between the axes, and between the block and the vertical


def _props(clearance: float) -> tuple[Prop, ...]:
    plug_poses = around(PLUG_AT, PLUG_EXTENT, height=GRIP_HALF_SIZE[2] + TABLE_GAP, yaw=math.pi, turn=YAW)
    socket_poses = around(SOCKET_AT, SOCKET_EXTENT, height=SOCKET_HALF_SIZE[2] + TABLE_GAP, turn=YAW)
    return (
        Prop(body="plug", mjcf=plug, initial_poses=plug_poses),
        Prop(body="socket", mjcf=socket(clearance), initial_poses=socket_poses),
    )


class PlugIn(Task):
    """The right arm holds the plug, the left arm the socket; the hole is 1.5 mm wider than the pin.

    Variants with another clearance have the same initial states.

    Attributes:
        clearance: Width of the hole less that of the pin [m].
    """

    name = "plug_in"
    family = "aloha"
    robot = "viperx_bimanual"
    coordination = "hold and act"
    instruction = "hold the socket with the left arm and push the plug into it with the right arm"
    horizon = HORIZONS["plug_in"]
    clearance = 0.0015
    stages = ("none", "plug held", "both held", "aligned", "in the hole", "plugged in")
    props = _props(clearance)

    @property
    def rng_key(self) -> str:
        return PlugIn.name

    def stage(self, scene: Scene) -> int:
        tip, angle = pin_in_socket(scene)
        on_axis = bool(math.hypot(tip[1], tip[2]) <= MAX_OFFSET and angle <= MAX_ANGLE)
        depth = FACE - tip[0]
        if on_axis and depth >= IN_HOLE:
            return 5 if depth >= DEPTH else 4
        if not scene.grasped("plug", "right") or scene.groups_touch("plug", "table"):
            return 0
        if not scene.grasped("socket", "left"):
            return 1
        return 3 if on_axis and depth >= -NEAR else 2

    def checks(self, scene: Scene) -> dict[str, bool]:
        tip, angle = pin_in_socket(scene)
        return {
            "pin 25 mm deep": bool(FACE - tip[0] >= DEPTH),
            "pin on the axis of the hole": bool(math.hypot(tip[1], tip[2]) <= MAX_OFFSET and angle <= MAX_ANGLE),
            "socket upright on the table": tilt(scene.body_pose("socket")) <= MAX_ANGLE
            and scene.groups_touch("socket", "table"),
            "plug off the table": not scene.groups_touch("plug", "table"),
            "both released": released(scene, "plug", "socket"),
            "both at rest": at_rest(scene, "plug", "socket"),
        }


class PlugInLoose(PlugIn):
    """The hole is 3 mm wider than the pin."""

    name = "plug_in_loose"
    horizon = VARIANT_HORIZONS["plug_in_loose"]
    clearance = 0.003
    props = _props(clearance)


class PlugInTight(PlugIn):
    """The hole is 0.75 mm wider than the pin."""

    name = "plug_in_tight"
    horizon = VARIANT_HORIZONS["plug_in_tight"]
    clearance = 0.00075
    props = _props(clearance)


def pin_in_socket(scene: Scene) -> tuple[FloatArray, float]:
    """The end of the pin in the socket's frame (3,) [m], and the angle between pin and hole [rad]."""
    relative = scene.body_pose("socket").inverse() @ scene.body_pose("plug")
    axis = relative.axis(0)
    return relative.position + TIP * axis, math.acos(float(np.clip(-axis[0], -1.0, 1.0)))
