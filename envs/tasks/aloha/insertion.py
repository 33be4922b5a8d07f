"""Insert a peg into a socket in the air, one in each gripper. Objects, ranges and stages: the ACT simulation."""

import math

from ambidex.assets.paths import OBJECTS
from ambidex.envs.registry import HORIZONS
from ambidex.envs.simulation.pose import norm
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import Prop, Task, UniformPose
from ambidex.envs.types import FloatArray

PEG_HALF_LENGTH = 0.06  # [m]
PIN_HALF_LENGTH = 0.04  # [m]
END_TOLERANCE = 0.002  # between the touching end and the pin's face, which differ when the peg is tilted [m]
MAX_ANGLE = math.radians(10.0)
MAX_OFFSET = 0.008  # of the peg's axis from the socket's axis at the peg's inner end [m]


def _initial_pose(x: tuple[float, float], y: tuple[float, float], yaw: float) -> UniformPose:
    return UniformPose(low=(x[0], y[0], 0.05), high=(x[1], y[1], 0.05), yaw=(-yaw, yaw))


class Insertion(Task):
    """The right arm holds the peg, the left arm the socket."""

    name = "insertion"
    family = "aloha"
    robot = "viperx_bimanual"
    coordination = "hold and act"
    instruction = "pick up the peg with the right arm and the socket with the left arm, and insert the peg"
    horizon = HORIZONS["insertion"]
    stages = ("none", "touched", "lifted", "contacted", "inserted")
    props = (
        Prop(
            body="peg",
            mjcf=OBJECTS / "peg.xml",
            initial_poses={
                "published": _initial_pose((0.1, 0.2), (0.4, 0.6), 0.0),
                "wide": _initial_pose((0.09, 0.25), (0.36, 0.64), math.pi),
            },
        ),
        Prop(
            body="socket",
            mjcf=OBJECTS / "socket.xml",
            initial_poses={
                "published": _initial_pose((-0.2, -0.1), (0.4, 0.6), 0.0),
                "wide": _initial_pose((-0.25, -0.09), (0.36, 0.64), math.pi),
            },
        ),
    )
    contact_groups = {
        "peg": ("red_peg",),
        "wall": ("socket-1", "socket-2", "socket-3", "socket-4"),
        "pin": ("pin",),
        "socket": ("socket-1", "socket-2", "socket-3", "socket-4", "pin"),
    }

    def stage(self, scene: Scene) -> int:
        """ACT's reward 0..4, but with unordered contact pairs and either finger."""
        if scene.groups_touch("peg", "pin"):
            return 4
        in_air = not scene.groups_touch("peg", "table") and not scene.groups_touch("wall", "table")
        if scene.groups_touch("peg", "wall") and in_air:
            return 3
        if scene.groups_touch("peg", "right_fingers") and scene.groups_touch("wall", "left_fingers"):
            return 2 if in_air else 1
        return 0

    def checks(self, scene: Scene) -> dict[str, bool]:
        end, angle = peg_in_socket(scene)
        gap = abs(end[0]) - PIN_HALF_LENGTH
        in_air = not scene.groups_touch("peg", "table") and not scene.groups_touch("socket", "table")
        return {
            "peg end at the pin": scene.groups_touch("peg", "pin") and bool(abs(gap) <= END_TOLERANCE),
            "axes within 10 degrees": bool(angle <= MAX_ANGLE),
            "axes within 8 mm": bool(math.hypot(end[1], end[2]) <= MAX_OFFSET),
            "peg held by the right gripper": scene.grasped("peg", "right"),
            "socket held by the left gripper": scene.grasped("socket", "left"),
            "both off the table": in_air,
        }


def peg_in_socket(scene: Scene) -> tuple[FloatArray, float]:
    """The inner end of the peg in the socket's frame (3,) [m], and the angle between the axes [rad].

    Peg and socket are symmetric, so the inner end is the one nearer to the socket.
    """
    relative = scene.body_pose("socket").inverse() @ scene.body_pose("peg")
    axis = relative.axis(0)
    ends = (relative.position + PEG_HALF_LENGTH * axis, relative.position - PEG_HALF_LENGTH * axis)
    inner = min(ends, key=norm)
    return inner, math.acos(min(1.0, abs(float(axis[0]))))
