"""A task that is described by a BDDL definition."""

import glob
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from weakref import WeakKeyDictionary

import mujoco
import numpy as np

from ambidex.envs.arenas.libero import arena_of
from ambidex.envs.objects.fixtures.appliances import update_stove_appearance
from ambidex.envs.objects.properties import object_properties
from ambidex.envs.robot import Robot
from ambidex.envs.robots.panda import make_panda
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import FILENAME, LANGUAGE, STRICT, Rectangle, Task, UniformPose
from ambidex.envs.tasks.libero.bddl.problem import Problem
from ambidex.envs.tasks.libero.bddl.reader import read_problem
from ambidex.envs.tasks.libero.composition import compose_problem
from ambidex.envs.tasks.libero.goals.success import GoalMonitor
from ambidex.envs.tasks.libero.goals.world import body_name
from ambidex.envs.tasks.libero.initial_states.placement import GoalReachedError, Placement, settle
from ambidex.envs.tasks.libero.initial_states.spread import SPREADS, workspace_ranges
from ambidex.envs.tasks.libero.initial_states.state_file import check_fit, check_states, read_init_states
from ambidex.envs.tasks.libero.suites import DEFINITIONS, LiberoDefinition
from ambidex.envs.types import FloatArray
from ambidex.errors import check_name

LIBERO = "libero"
CRITERIA = (STRICT, LIBERO)
JOINT_NOISE = 0.02  # standard deviation of each initial joint position, as in LIBERO's stored states [rad]


class LiberoTask(Task):
    """A task made from a definition.

    LIBERO's success criterion: all atoms of the goal hold at one step; success then stays. Strict success also requires
    that the robot touches nothing that the goal is about and that all of it is at rest, for half a second.

    Attributes:
        problem: The parsed definition.
        arena: Table, floor, walls and lights.
        goal: The atoms that must all hold.
        success: Success criterion.
    """

    family = "libero"
    robot = "panda"

    def __init__(self, definition: LiberoDefinition, success: str = STRICT) -> None:
        self._definition = definition
        read = _read_once if definition.suite else _read
        self.problem = read(definition)
        self.arena = arena_of(self.problem.problem)
        self.goal = self.problem.goal
        self.name, self.instruction, self.horizon = definition.name, definition.instruction, definition.horizon
        count = len(self.goal)
        self.stages = ("none", "touched", "moved", *(f"{n} of {count} goals" for n in range(1, count + 1)))
        self.success = success
        self.latches = success == LIBERO
        self._monitors: WeakKeyDictionary[Scene, GoalMonitor] = WeakKeyDictionary()

    @property
    def object_names(self) -> tuple[str, ...]:
        """Objects in qpos order; then fixtures, whose poses differ between episodes, and their moving parts."""
        objects = [body_name(instance) for instance in self.problem.objects]
        fixtures = [body for fixture in self.problem.fixtures.items() for body in _fixture_bodies(*fixture)]
        return (*objects, *fixtures)

    @property
    def rng_key(self) -> str:
        """The name; for a user's file its content, so that its path does not matter."""
        return self.name if self._definition.suite else f"bddl:{self.problem.sha256}"

    @property
    def definition_text(self) -> str:
        return self.problem.text

    @property
    def instructions(self) -> Mapping[str, str]:
        language = self.problem.language
        return {FILENAME: self.instruction, **({LANGUAGE: language} if language else {})}

    @property
    def instruction_note(self) -> str:
        """LIBERO's own files keep the instruction of their names, by which policies are evaluated."""
        language = self.instructions.get(LANGUAGE, self.instruction)
        if language.lower() == self.instruction.lower() or self._is_liberos:
            return ""
        return (
            f"{self.name}: the instruction is {self.instruction!r}, from the file's name, but its :language is "
            f"{language!r}. --instruction-source language takes that one; filename takes the name's without this note."
        )

    @property
    def goal_areas(self) -> tuple[Rectangle, ...]:
        named = {name for atom in self.goal for name in atom.arguments}
        regions = [region for name, region in self.problem.regions.items() if name in named]
        return tuple(
            self.arena.in_world(area)
            for region in regions
            if region.target == self.problem.workspace
            for area in region.ranges
        )

    def initial_ranges(self, spread: str) -> Mapping[str, tuple[UniformPose, ...]]:
        return workspace_ranges(self.problem, self.arena, SPREADS[spread])

    @property
    def _is_liberos(self) -> bool:
        """Whether the definition is one of LIBERO's 130, or a copy of one under its name."""
        copies = DEFINITIONS.glob(f"*/{glob.escape(Path(self.name).name)}")
        return bool(self._definition.suite) or any(copy.read_text("utf-8") == self.problem.text for copy in copies)

    def make_robot(self) -> Robot:
        return make_panda(self.arena.base, self.arena.mount)

    def compose(self, robot: Robot) -> mujoco.MjSpec:
        return compose_problem(self.problem, self.arena, robot)

    def with_success_criterion(self, success: str) -> "LiberoTask":
        check_name("success criterion", success, CRITERIA)
        return LiberoTask(self._definition, success)

    def reset_scene(self, scene: Scene, rng: np.random.Generator, spread: str) -> None:
        """Place fixtures and objects, put the arm near home, and let everything settle.

        Raises:
            NoFreeSpotError: There is no free spot for an object in its region.
            GoalReachedError: The goal holds already.
        """
        scene.reset({})
        placement = Placement(scene, self.problem, self.arena, rng, SPREADS[spread])
        placement.place_fixtures()
        placement.place_objects()
        self._add_joint_noise(scene, rng)
        scene.refresh()
        settle(scene)
        self._check_goal_is_open(scene)

    def read_initial_states(self, path: Path, scene: Scene) -> FloatArray:
        states, model = read_init_states(path), scene.model
        check_fit(states, nq=model.nq, nv=model.nv, path=path, task=self.name)
        check_states(states, model, path, self.name)
        return states

    def reset_scene_to(self, scene: Scene, rng: np.random.Generator, spread: str, state: FloatArray) -> None:
        """As LIBERO does: stored positions and velocities, fixtures drawn for this episode, no settling."""
        scene.reset({})
        Placement(scene, self.problem, self.arena, rng, SPREADS[spread]).place_fixtures()
        nq = scene.model.nq
        scene.data.qpos[:], scene.data.qvel[:] = state[1 : 1 + nq], state[1 + nq :]
        scene.hold_robot()
        scene.refresh()

    def stage(self, scene: Scene) -> int:
        """0 for none, 1 touched by the robot, 2 moved by it, then 2 plus the number of atoms that hold."""
        monitor = self._monitor(scene)
        reached = sum(monitor.atoms().values())
        if reached:
            return 2 + reached
        if not monitor.touched():
            return 0
        return 1 if monitor.at_rest() else 2

    def checks(self, scene: Scene) -> dict[str, bool]:
        monitor = self._monitor(scene)
        if self.success == LIBERO:
            return dict(monitor.atoms())
        return {**monitor.atoms(), "released": not monitor.touched(), "at rest": monitor.at_rest()}

    def update_appearance(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        for instance, category in self.problem.fixtures.items():
            if category == "flat_stove":
                update_stove_appearance(model, data, instance)

    def _monitor(self, scene: Scene) -> GoalMonitor:
        if scene not in self._monitors:
            self._monitors[scene] = GoalMonitor(scene, self.problem, self.arena)
        return self._monitors[scene]

    def _check_goal_is_open(self, scene: Scene) -> None:
        if all(self._monitor(scene).atoms().values()):
            problem = f"{self.name}: the goal holds in the initial state: {'; '.join(map(str, self.goal))}."
            hint = "Change the initial placements or the goal in the definition."
            raise GoalReachedError(problem, hint, task=self.name)

    def _add_joint_noise(self, scene: Scene, rng: np.random.Generator) -> None:
        (arm,) = scene.robot.arms
        for joint in arm.joints:
            scene.data.joint(joint).qpos += rng.normal(0.0, JOINT_NOISE)
        scene.hold_robot()


def _fixture_bodies(fixture: str, category: str) -> tuple[str, ...]:
    parts = dict.fromkeys(joint.body for joint in object_properties(category).joints.values())
    return (body_name(fixture), *(f"{fixture}_{part}" for part in parts))


def _read(definition: LiberoDefinition) -> Problem:
    return read_problem(definition.path, Path(definition.name).stem)


_read_once = cache(_read)
