"""Stack three cubes, of which each arm reaches one and both reach the third, in the order of the instruction."""

import math

import numpy as np

from ambidex.envs.objects.aloha.cubes import cube
from ambidex.envs.registry import HORIZONS
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import Prop, Task
from ambidex.envs.tasks.aloha.conditions import TABLE_GAP, at_rest, held, released
from ambidex.envs.tasks.aloha.initial_poses import around

HALF_EDGE = 0.02  # [m]
MAX_OFFSET = 0.015  # between the centres of two cubes, seen from above [m]
HEIGHT_TOLERANCE = 0.004  # of a cube that stands on another [m]
MIDDLE = 0.12  # largest distance of the stack from the cell's middle line [m]
PLACES = {"red": (0.17, 0.5), "green": (0.0, 0.5), "blue": (-0.17, 0.5)}  # centres of the ranges [m]
EXTENT = {"red": (0.05, 0.08), "green": (0.03, 0.06), "blue": (0.05, 0.08)}  # half lengths of the ranges [m]
HEIGHT = HALF_EDGE + TABLE_GAP  # of their centres at the beginning [m]
INSTRUCTION = "stack the cubes in the middle: {} at the bottom, then {}, and {} on top"


class StackBoth(Task):
    """Red, green and blue cubes, stacked from the bottom in the order of `order`, in the middle between the arms."""

    name = "stack_both"
    family = "aloha"
    robot = "viperx_bimanual"
    coordination = "parallel"
    order: tuple[str, str, str] = ("red", "green", "blue")
    instruction = INSTRUCTION.format("red", "green", "blue")
    horizon = HORIZONS["stack_both"]
    stages = (
        "none",
        "a cube held",
        "base in the middle",
        "second cube held",
        "second cube placed",
        "third cube placed",
    )
    props = tuple(
        Prop(
            body=colour,
            mjcf=cube(colour, colour, HALF_EDGE),
            initial_poses=around(PLACES[colour], EXTENT[colour], height=HEIGHT, turn=math.pi),
        )
        for colour in PLACES
    )

    def stage(self, scene: Scene) -> int:
        base, second, third = self.order
        if _stands_on(scene, second, base):
            return 5 if _stands_on(scene, third, second) else 4
        if abs(scene.body_pose(base).position[0]) <= MIDDLE and not held(scene, base):
            return 3 if held(scene, second) else 2
        return int(any(held(scene, colour) for colour in self.order))

    def checks(self, scene: Scene) -> dict[str, bool]:
        base, second, third = self.order
        return {
            f"{base} in the middle": abs(scene.body_pose(base).position[0]) <= MIDDLE,
            f"{second} on {base}": _stands_on(scene, second, base),
            f"{third} on {second}": _stands_on(scene, third, second),
            "all released": released(scene, *self.order),
            "all at rest": at_rest(scene, *self.order),
        }


def _stands_on(scene: Scene, upper: str, lower: str) -> bool:
    above = scene.body_pose(upper).position - scene.body_pose(lower).position
    level = abs(above[2] - 2 * HALF_EDGE) <= HEIGHT_TOLERANCE
    return bool(np.hypot(above[0], above[1]) <= MAX_OFFSET and level) and scene.groups_touch(upper, lower)


class StackBothRbg(StackBoth):
    """Red, blue, green."""

    name = "stack_both_rbg"
    order = ("red", "blue", "green")
    instruction = INSTRUCTION.format(*order)


class StackBothGrb(StackBoth):
    """Green, red, blue."""

    name = "stack_both_grb"
    order = ("green", "red", "blue")
    instruction = INSTRUCTION.format(*order)


class StackBothGbr(StackBoth):
    """Green, blue, red."""

    name = "stack_both_gbr"
    order = ("green", "blue", "red")
    instruction = INSTRUCTION.format(*order)


class StackBothBrg(StackBoth):
    """Blue, red, green."""

    name = "stack_both_brg"
    order = ("blue", "red", "green")
    instruction = INSTRUCTION.format(*order)


class StackBothBgr(StackBoth):
    """Blue, green, red."""

    name = "stack_both_bgr"
    order = ("blue", "green", "red")
    instruction = INSTRUCTION.format(*order)
