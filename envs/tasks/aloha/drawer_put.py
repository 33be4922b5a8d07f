"""Hold a drawer open against its spring, put a carton into it, and shut it."""

import math

from ambidex.envs.objects.aloha.drawer_cabinet import CARTON, cabinet, carton, inside_drawer
from ambidex.envs.registry import HORIZONS
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import Prop, Task
from ambidex.envs.tasks.aloha.conditions import at_rest, held, offset, released
from ambidex.envs.tasks.aloha.initial_poses import around

CABINET_CENTRE, CARTON_CENTRE = (0.01, 0.69), (0.19, 0.37)  # centres of the ranges [m]
CABINET_EXTENT, CARTON_EXTENT = (0.03, 0.02), (0.05, 0.04)  # half lengths of the ranges [m]
MAX_YAW = math.radians(6.0)  # of the cabinet
START_HEIGHT = CARTON[2] + 0.0007  # the table's contacts keep what stands on it 0.6 mm above it [m]
PULLED = 0.06  # opening of a drawer that has been pulled open [m]
SHUT = 0.01  # largest opening of a drawer that is shut [m]
MARGIN = 0.012  # of the carton's middle from the walls of the drawer [m]


class DrawerPut(Task):
    """The drawer stays open only as long as an arm holds it; the carton stands on the right arm's side."""

    name = "drawer_put"
    family = "aloha"
    robot = "viperx_bimanual"
    coordination = "hold and act"
    instruction = "hold the drawer open with the left arm, put the carton into it with the right arm, and shut it"
    horizon = HORIZONS["drawer_put"]
    stages = (
        "none",
        "drawer pulled or carton held",
        "drawer pulled and carton held",
        "carton in the drawer",
        "drawer shut",
        "all released",
    )
    props = (
        Prop(
            body="cabinet",
            mjcf=cabinet,
            initial_poses=around(CABINET_CENTRE, CABINET_EXTENT, turn=MAX_YAW),
            parts=("drawer",),
            fixed=True,
        ),
        Prop(
            body="carton",
            mjcf=carton,
            initial_poses=around(CARTON_CENTRE, CARTON_EXTENT, height=START_HEIGHT, turn=math.pi),
        ),
    )

    def stage(self, scene: Scene) -> int:
        if _inside(scene):
            if opening(scene) > SHUT:
                return 3
            return 5 if released(scene, "carton", "cabinet") else 4
        return int(opening(scene) >= PULLED) + int(held(scene, "carton"))

    def checks(self, scene: Scene) -> dict[str, bool]:
        return {
            "carton in the drawer": _inside(scene),
            "drawer shut": opening(scene) <= SHUT,
            "all released": released(scene, "carton", "cabinet"),
            "all at rest": at_rest(scene, "carton", "drawer"),
        }


def opening(scene: Scene) -> float:
    """How far the drawer is open [m]."""
    return scene.joint_position("drawer_joint")


def _inside(scene: Scene) -> bool:
    return inside_drawer(offset(scene, "carton", "drawer"), MARGIN) and not held(scene, "carton")
