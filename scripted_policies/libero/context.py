"""What all skills share: the scene by LIBERO's names, the hand, and the planners; and the base class of skills."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import mujoco
import numpy as np

from ambidex.envs.simulation.pose import Pose, angle_between
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.tasks.libero.bddl.problem import Atom
from ambidex.envs.tasks.libero.goals.predicates import holds
from ambidex.envs.tasks.libero.goals.world import ModelWorld, RegionFrame, body_name
from ambidex.envs.tasks.libero.task import LiberoTask
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.geometry import initial_stance, poses_between
from ambidex.scripted_policies.libero.hand import Hand, Motion
from ambidex.scripted_policies.libero.lookahead.clearance import Obstacles
from ambidex.scripted_policies.libero.lookahead.collision import CollisionChecker, robot_geoms
from ambidex.scripted_policies.libero.lookahead.reach import ArmPosture, ReachChecker
from ambidex.scripted_policies.libero.lookahead.resting import DropSimulation, DropTests
from ambidex.scripted_policies.libero.planning.grasps import TIP
from ambidex.scripted_policies.libero.planning.placements import Placements, is_on_floor
from ambidex.scripted_policies.libero.subgoals import Subgoal

CLEARANCE = 0.03  # between what travels and the obstacles below [m]
HAND_RADIUS = 0.06  # half the width of an empty hand [m]
MIN_HELD_GAP = 0.0015  # between the pads of a hand that holds something [m]
PALM_RADIUS, PALM_HEIGHT = 0.115, 0.02  # of what a turning hand sweeps, and its height above the tool [m]
MAX_HEIGHT = 0.62  # of the hand above the base while it travels [m]
FAR_TURN = 2.0  # of the hand, from which on it is checked whether a joint would come to its limit [rad]
TURN_STOPS = 6  # checked, and waypoints, of such a turn
NEGLIGIBLE = 0.02  # vertical distance for which a route gets no waypoint of its own [m]


class SkillContext:
    """A scene, its hand and the means to plan in it. Objects, fixtures and regions have the names of the BDDL file.

    Attributes:
        scene: The scene.
        task: The task in it.
        arm: The only arm of the robot.
        hand: The hand's motions.
        collisions: Checks poses for collisions.
        reach: Checks poses for reach.
        obstacles: Boxes around objects and fixtures.
        drops: Simulates what happens to objects that are dropped.
        placements: Suggests placements of objects.
        jitter: Draws the noise of a waypoint, shape (3,) [m].
    """

    def __init__(self, scene: Scene, task: LiberoTask) -> None:
        self.scene, self.task = scene, task
        (self.arm,) = scene.robot.arms
        self.hand = Hand(scene, self.arm)
        self.collisions = CollisionChecker(scene, self.arm)
        self.reach = ReachChecker(scene.robot, self.arm, self.collisions)
        self.obstacles = Obstacles(scene, self.arm)
        self.placements = Placements(self._world_of(self.collisions.data), self.collisions, task.problem.goal)
        simulation = DropSimulation(scene, self.arm)
        self.drops = DropTests(simulation, self._world_of(simulation.data))
        self.jitter: Callable[[], FloatArray] = lambda: np.zeros(3)
        self._world = self._world_of(scene.data, scene.bodies_touch)
        self._fingers = [
            scene.model.body(scene.model.geom(name).bodyid[0]).name for name in self.arm.gripper.finger_geoms
        ]
        self._robot = robot_geoms(scene.model, self.arm)
        self._addresses = [int(scene.model.joint(name).qposadr[0]) for name in self.arm.joints]

    def pose_of(self, name: str) -> Pose:
        """Pose of the body of an object or fixture."""
        return self.scene.body_pose(body_name(name))

    def uprightness(self, obj: str) -> float:
        """Vertical component of the axis that is up when the object stands: 1 if it stands straight, 0 if it lies."""
        up = initial_stance(self.category(obj)).up
        return float(self.pose_of(obj).axis(up % 3)[2]) * (1.0 if up < 3 else -1.0)

    def category(self, name: str) -> str:
        """Category of an object or fixture."""
        return self.task.problem.categories[name]

    def frames(self, region: str) -> tuple[RegionFrame, ...]:
        """Present frames of a region."""
        return self._world.frames(region)

    def holds(self, atom: Atom) -> bool:
        """Whether an atom is true now."""
        return holds(self._world, atom)

    def is_on_floor(self, atom: Atom) -> bool:
        """Whether an object is down on the floor of its narrow region; true of every other atom."""
        if not self.placements.is_narrow(atom):
            return True
        low, _ = self.obstacles.extent(atom.arguments[0])
        return is_on_floor(self.frames(atom.arguments[1])[0], float(low[2]))

    def posture(self) -> ArmPosture:
        """Measured posture of the arm."""
        return ArmPosture(self.hand.tool_pose, self.scene.data.qpos[self._addresses].copy())

    def held(self, obj: str) -> bool:
        """Whether the hand holds something and both fingers touch the object."""
        body = body_name(obj)
        return self.hand.gap() > MIN_HELD_GAP and all(self.scene.bodies_touch(body, finger) for finger in self._fingers)

    def touches_scene(self, obj: str) -> bool:
        """Whether an object touches anything besides the robot."""
        geoms, own = self.scene.data.contact.geom, self.collisions.geoms_of(obj)
        touched = geoms[own[geoms].any(axis=1)]
        return bool((~(own | self._robot)[touched]).any())

    def jittered(self, pose: Pose) -> Pose:
        """The pose with waypoint noise."""
        return pose.shifted(self.jitter())

    def route(self, goal: Pose, depth: float, radius: float, carried: str | None = None) -> list[Pose]:
        """Waypoints of the hand to a goal: up, across above all obstacles, and down.

        Args:
            goal: Pose of the hand to reach.
            depth: How far hand and load reach below the tool, with clearance [m].
            radius: Half the width of hand and load [m].
            carried: The load, which is no obstacle.
        """
        here = self.hand.tool_pose
        below = self.obstacles.height_between(here.position, goal.position, radius, carried)
        beside = self.obstacles.height_between(here.position, goal.position, PALM_RADIUS, carried)
        highest = float(self.arm.base.position[2]) + MAX_HEIGHT
        height = min(max(below + depth, beside - PALM_HEIGHT, goal.position[2]), highest)
        up = Pose(np.array([*here.position[:2], max(height, here.position[2])]), here.quaternion)
        over = Pose(np.array([*goal.position[:2], height]), goal.quaternion)
        way = [up] if height > here.position[2] + NEGLIGIBLE else []
        return [*way, over, goal] if height > goal.position[2] + NEGLIGIBLE else [*way, goal]

    def empty_route(self, goal: Pose) -> list[Pose]:
        """The route of an empty hand to a goal, by way of more poses if a joint would reach its limit."""
        route, posture = self.route(goal, TIP + CLEARANCE, HAND_RADIUS), self.posture()
        if angle_between(posture.tool, goal) < FAR_TURN:
            return route
        stops = poses_between(posture.tool, goal, TURN_STOPS)
        if self.reach.joints_along(stops, posture.joints) is not None:
            return route
        height = max(pose.position[2] for pose in (posture.tool, *route))
        turning = [posture.tool, *self.reach.turning_poses(posture.joints, goal, TURN_STOPS)]
        return [*(Pose(np.array([*pose.position[:2], height]), pose.quaternion) for pose in turning), goal]

    def _world_of(self, data: mujoco.MjData, touch: Callable[[str, str], bool] = lambda a, b: True) -> ModelWorld:
        """Evaluates predicates in the scene or a copy of it, where contact is assumed."""
        return ModelWorld(self.scene.model, data, self.task.problem, self.task.arena, touch)


class Skill(ABC):
    """Reaches one subgoal. Attempt n carries out the n-th plan, or starts again if there are fewer."""

    def __init__(self, context: SkillContext, subgoal: Subgoal) -> None:
        self._context, self._hand = context, context.hand
        self._subgoal, self._atom = subgoal, subgoal.atom

    @abstractmethod
    def motion(self, attempt: int) -> Motion:
        """One attempt; returns whether it seems to have worked. Ends with the hand empty and clear of everything."""

    def _grasp(self, tool: Pose, before: Pose, speed: float) -> Motion:
        """Move the empty hand to a pose before a grasp, open it, move to the grasp and close."""
        yield from self._hand.follow(self._context.empty_route(before))
        yield from self._hand.open()
        yield from self._hand.move_to(tool, speed=speed)
        return (yield from self._hand.close())

    def _fail(self, steps: int = 10) -> Motion:
        """Wait a number of steps because there is no plan; returns false."""
        return (yield from self._hand.wait(steps, until=lambda: False))
