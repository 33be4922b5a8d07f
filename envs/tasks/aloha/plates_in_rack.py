"""Put two plates upright into a rack, one with each arm, at the same time."""

import math

import numpy as np

from ambidex.envs.objects.aloha.plate_rack import HALF_THICKNESS, STAND_HEIGHT, plate, rack, slot_of, stand
from ambidex.envs.registry import HORIZONS
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import Prop, Task, UniformPose
from ambidex.envs.tasks.aloha.conditions import at_rest, held, released
from ambidex.envs.tasks.aloha.initial_poses import around

PLATES = ("left_plate", "right_plate")
PLACES = {"left": (-0.1, 0.31), "right": (0.1, 0.31), "rack": (0.0, 0.62)}  # centres of the ranges [m]
EXTENT = {"left": (0.015, 0.03), "right": (0.015, 0.03), "rack": (0.02, 0.02)}  # half lengths of the ranges [m]
YAWS = {"left": math.radians(-27.0), "right": math.radians(27.0), "rack": 0.0}  # a plate's side faces the arm's base
TURN = {"left": math.radians(7.0), "right": math.radians(7.0), "rack": math.radians(5.0)}  # largest, from these
START_HEIGHT = STAND_HEIGHT + HALF_THICKNESS + 1e-5  # of a plate's middle: it just does not touch its stand [m]


def _initial_poses(what: str, height: float = 0.0) -> dict[str, UniformPose]:
    return around(PLACES[what], EXTENT[what], height=height, yaw=YAWS[what], turn=TURN[what])


def _on_stand(side: str) -> tuple[Prop, Prop]:
    """A plate and its stand."""
    return (
        Prop(body=f"{side}_stand", mjcf=stand(side), initial_poses=_initial_poses(side), fixed=True),
        Prop(body=f"{side}_plate", mjcf=plate(side), initial_poses=_initial_poses(side, START_HEIGHT)),
    )


class PlatesInRack(Task):
    """Each plate lies on a stand on the side of one arm; the rack in the middle is fixed, as are the stands."""

    name = "plates_in_rack"
    family = "aloha"
    robot = "viperx_bimanual"
    coordination = "parallel"
    instruction = "put one plate with each arm upright into the holder, at the same time"
    horizon = HORIZONS["plates_in_rack"]
    stages = (
        "none",
        "a plate held",
        "both plates held",
        "a plate in the rack",
        "both plates in the rack",
        "both released",
    )
    props = (
        *_on_stand("left"),
        *_on_stand("right"),
        Prop(body="rack", mjcf=rack, initial_poses=_initial_poses("rack"), fixed=True),
    )

    def initial_ranges(self, spread: str) -> dict[str, tuple[UniformPose, ...]]:
        """None: the plates lie on stands, which are fixed."""
        return {}

    def reset_scene(self, scene: Scene, rng: np.random.Generator, spread: str) -> None:
        """As of any task, but with each stand below its plate."""
        poses = {prop.body: prop.initial_poses[spread].sample(rng) for prop in self.props}
        for side in ("left", "right"):
            poses[f"{side}_stand"] = poses[f"{side}_plate"].shifted((0.0, 0.0, -START_HEIGHT))
        scene.reset(poses)

    def stage(self, scene: Scene) -> int:
        filled = set(slots_filled(scene).values()) - {None}
        if len(filled) == len(PLATES):
            return 5 if released(scene, *PLATES) else 4
        return 3 if filled else sum(held(scene, plate) for plate in PLATES)

    def checks(self, scene: Scene) -> dict[str, bool]:
        left, right = slots_filled(scene).values()
        return {
            "left plate in a slot": left is not None,
            "right plate in a slot": right is not None,
            "plates in different slots": left != right,
            "both released": released(scene, *PLATES),
            "both at rest": at_rest(scene, *PLATES),
        }


def slots_filled(scene: Scene) -> dict[str, int | None]:
    """Plate -> the slot of the rack in which it stands upright."""
    to_rack = scene.body_pose("rack").inverse()
    return {plate: slot_of(to_rack @ scene.body_pose(plate)) for plate in PLATES}
