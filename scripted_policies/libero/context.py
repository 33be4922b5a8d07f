"""What all skills share: the scene by LIBERO's names, the hand, and the means to plan."""

from collections.abc import Callable

import mujoco
import numpy as np

from ambidex.envs.simulation.pose import Pose
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.tasks.libero.bddl.problem import Atom
from ambidex.envs.tasks.libero.goals.predicates import holds
from ambidex.envs.tasks.libero.goals.world import ModelWorld, RegionFrame, body_name
from ambidex.envs.tasks.libero.task import LiberoTask
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.hand import Hand
from ambidex.scripted_policies.libero.lookahead.collision import Probe
from ambidex.scripted_policies.libero.lookahead.reach import Reach
from ambidex.scripted_policies.libero.lookahead.resting import Fall, Falls
from ambidex.scripted_policies.libero.planning.clearance import Passage
from ambidex.scripted_policies.libero.planning.grasps import TIP
from ambidex.scripted_policies.libero.planning.pick import PickPlan
from ambidex.scripted_policies.libero.planning.placements import Places, is_narrow, on_floor

CLEARANCE = 0.03  # between what travels and what it passes [m]
HAND_RADIUS = 0.06  # half the width of an empty hand [m]
LOWEST_GAP = 0.0015  # between the pads of a hand that holds something [m]
PALM_RADIUS, PALM_HEIGHT = 0.115, 0.02  # what a turning hand sweeps, from so far above the tool [m]
HIGHEST = 0.62  # of the hand above the base, for travelling [m]


class Workplace:
    """A scene to work in.

    Attributes:
        scene: The world.
        task: The task in it.
        arm: The robot's one arm.
        hand: Moves it.
        probe: Tries poses.
        passage: Knows what stands how high.
        pick_plan: Chooses grasps and places.
    """

    def __init__(self, scene: Scene, task: LiberoTask) -> None:
        self.scene, self.task = scene, task
        (self.arm,) = scene.robot.arms
        self.hand = Hand(scene, self.arm)
        self.probe = Probe(scene, self.arm)
        self.passage = Passage(scene, self.arm)
        self.reach = Reach(scene.robot, self.arm, lambda: self.probe.renewals)
        self._fingers = [
            scene.model.body(scene.model.geom(name).bodyid[0]).name for name in self.arm.gripper.finger_geoms
        ]
        self._live = self._world(scene.data, scene.bodies_touch)
        world = self._world(self.probe.data, lambda a, b: True)
        fall = Fall(scene, self.arm)
        falls = Falls(fall, self._world(fall.data, lambda a, b: True))
        self.pick_plan = PickPlan(self.probe, self.reach, Places(world, self.probe, falls, task.problem.goal))
        self._addresses = [int(scene.model.joint(name).qposadr[0]) for name in self.arm.joints]
        self.jitter: Callable[[], FloatArray] = lambda: np.zeros(3)

    def pose_of(self, thing: str) -> Pose:
        """Pose of an object's or fixture's body."""
        return self.scene.body_pose(body_name(thing))

    def category(self, thing: str) -> str:
        """Category of an object or fixture."""
        return self.task.problem.categories[thing]

    def joints(self) -> FloatArray:
        """Measured arm joints, shape (7,) [rad]."""
        return self.scene.data.qpos[self._addresses].copy()  # type: ignore[no-any-return]

    def position(self, joint: str) -> float:
        """Position of a drawer, door or knob [m or rad]."""
        return float(self.scene.data.joint(joint).qpos[0])

    def held(self, thing: str) -> bool:
        """Whether the fingers hold something and both touch the thing."""
        body = body_name(thing)
        return self.hand.gap() > LOWEST_GAP and all(self.scene.bodies_touch(body, finger) for finger in self._fingers)

    def way(self, goal: Pose, drop: float, radius: float, carried: str | None = None) -> list[Pose]:
        """Waypoints to a goal: up, across at a safe height, and there.

        Args:
            goal: Where the hand goes.
            drop: How far what travels hangs below the tool, with clearance [m].
            radius: Half its width [m].
            carried: What is carried.
        """
        here = self.hand.tool()
        top = self.passage.top(here.position, goal.position, radius, carried)
        beside = self.passage.top(here.position, goal.position, PALM_RADIUS, carried)
        highest = float(self.arm.base.position[2]) + HIGHEST
        height = min(max(top + drop, beside - PALM_HEIGHT, goal.position[2]), highest)
        up = Pose(np.array([*here.position[:2], max(height, here.position[2])]), here.quaternion)
        over = Pose(np.array([*goal.position[:2], height]), goal.quaternion)
        way = [up] if height > here.position[2] + 0.02 else []
        return [*way, over, goal] if height > goal.position[2] + 0.02 else [*way, goal]

    def free_way(self, goal: Pose) -> list[Pose]:
        """Waypoints of an empty hand to a goal: up, across at a safe height, and there."""
        return self.way(goal, TIP + CLEARANCE, HAND_RADIUS)

    def holds(self, atom: Atom) -> bool:
        """Whether an atom is true now."""
        return holds(self._live, atom)

    def is_narrow(self, atom: Atom) -> bool:
        """Whether an atom puts a thing into a place where it has to be square to the walls."""
        if atom.predicate != "in":
            return False
        thing, place = atom.arguments
        return is_narrow(self.frames(place)[0], self.category(thing))

    def stands_in(self, atom: Atom) -> bool:
        """Whether a thing that belongs in a narrow place is down on its floor; true of every other atom."""
        if not self.is_narrow(atom):
            return True
        low, _ = self.passage.extent(atom.arguments[0])
        return on_floor(self.frames(atom.arguments[1])[0], float(low[2]))

    def frames(self, region: str) -> tuple[RegionFrame, ...]:
        """Where a region is now."""
        return self._live.frames(region)

    def jittered(self, pose: Pose) -> Pose:
        """The pose, moved a little if noise is asked for."""
        return pose.shifted(self.jitter())

    def _world(self, data: mujoco.MjData, bodies_touch: Callable[[str, str], bool]) -> ModelWorld:
        arena = self.task.arena
        return ModelWorld(
            model=self.scene.model,
            data=data,
            problem=self.task.problem,
            origin=arena.offset[:2],
            region_z=arena.region_z,
            bodies_touch=bodies_touch,
        )
