"""A task that a BDDL definition describes."""

from functools import cache
from pathlib import Path
from weakref import WeakKeyDictionary

import mujoco
import numpy as np

from ambidex.envs.arenas.arena import arena
from ambidex.envs.objects.fixtures import appliances as flat_stove
from ambidex.envs.objects.properties import object_properties
from ambidex.envs.robot import Robot
from ambidex.envs.robots.panda import make_panda
from ambidex.envs.simulation.scene import Scene
from ambidex.envs.task import STRICT, Task
from ambidex.envs.tasks.libero.bddl.problem import Problem
from ambidex.envs.tasks.libero.bddl.reader import read_problem
from ambidex.envs.tasks.libero.composition import compose_problem
from ambidex.envs.tasks.libero.goals.success import Judge
from ambidex.envs.tasks.libero.goals.world import body_name
from ambidex.envs.tasks.libero.initial.placement import GoalReachedError, Placement, settle
from ambidex.envs.tasks.libero.initial.spread import SPREADS
from ambidex.envs.tasks.libero.initial.state_file import check_fit, check_states, read_init_states
from ambidex.envs.tasks.libero.suites import LiberoDefinition
from ambidex.envs.types import FloatArray
from ambidex.errors import UnknownNameError

LIBERO = "libero"
CRITERIA = (STRICT, LIBERO)
STRICT_HOLD_S = 0.5
JOINT_NOISE = 0.02  # of every arm joint at the start, standard deviation, as in LIBERO's stored states [rad]


class LiberoTask(Task):
    """One definition as a task.

    Success is strict, or LIBERO's: all atoms of the goal hold at one step, and it stays once reached. Strict success
    also wants the gripper off all that the goal is about, and that at rest, for half a second on end.

    Attributes:
        problem: The parsed definition.
        arena: The room it takes place in.
        goal: The atoms that must all hold.
        success: Criterion of success.
    """

    family = "libero"
    robot = "panda"

    def __init__(self, definition: LiberoDefinition, success: str = STRICT) -> None:
        self._definition = definition
        own_name = Path(definition.name).stem
        self.problem = read_cached(definition) if definition.suite else read_problem(definition.path, own_name)
        self.arena = arena(self.problem.problem)
        self.goal = self.problem.goal
        self.name, self.instruction, self.horizon = definition.name, definition.instruction, definition.horizon
        count = len(self.goal)
        self.stages = ("none", "touched", "moved", *(f"{n} of {count} goals" for n in range(1, count + 1)))
        self.success = success
        self.hold_s = STRICT_HOLD_S if success == STRICT else 0.0
        self.latches = success == LIBERO
        self._judges: WeakKeyDictionary[Scene, Judge] = WeakKeyDictionary()

    @property
    def object_names(self) -> tuple[str, ...]:
        """Objects first, as in qpos; then fixtures, whose places differ between episodes, and their moving parts."""
        objects = [body_name(thing) for thing in self.problem.objects]
        fixtures = [body for thing in self.problem.fixtures.items() for body in _bodies(*thing)]
        return (*objects, *fixtures)

    @property
    def address(self) -> str:
        """The name; of a user's file its content, wherever it lies."""
        return self.name if self._definition.suite else f"bddl:{self.problem.sha256}"

    @property
    def definition_text(self) -> str:
        return self.problem.text

    def make_robot(self) -> Robot:
        return make_panda(self.arena.base, self.arena.mount)

    def compose(self, robot: Robot) -> mujoco.MjSpec:
        return compose_problem(self.problem, self.arena, robot)

    def judged_by(self, success: str) -> "LiberoTask":
        if success not in CRITERIA:
            raise UnknownNameError("success criterion", success, CRITERIA)
        return LiberoTask(self._definition, success)

    def start(self, scene: Scene, rng: np.random.Generator, spread: str) -> None:
        """Fixtures and objects placed, the arm near home, everything settled.

        Raises:
            NoFreeSpotError: There is no free spot for an object; says in which region.
            GoalReachedError: The goal holds already; names it.
        """
        scene.reset({})
        placement = Placement(scene, self.problem, self.arena, rng, SPREADS[spread])
        placement.place_fixtures()
        placement.place_objects()
        self._disturb(scene, rng)
        scene.refresh()
        settle(scene)
        self._check_undone(scene)

    def read_starts(self, path: Path, scene: Scene) -> FloatArray:
        states, model = read_init_states(path), scene.model
        check_fit(states, nq=model.nq, nv=model.nv, path=path, task=self.name)
        check_states(states, model, path, self.name)
        return states

    def start_from(self, scene: Scene, rng: np.random.Generator, spread: str, start: FloatArray) -> None:
        """As LIBERO does: positions and velocities as stored, fixtures where this episode has them, nothing settled."""
        scene.reset({})
        Placement(scene, self.problem, self.arena, rng, SPREADS[spread]).place_fixtures()
        nq = scene.model.nq
        scene.data.qpos[:], scene.data.qvel[:] = start[1 : 1 + nq], start[1 + nq :]
        scene.hold_robot()
        scene.refresh()

    def stage(self, scene: Scene) -> int:
        """What the goal lacks now: 0 none, 1 touched, 2 moved by the hand, then the number of atoms that hold."""
        judge = self._judge(scene)
        reached = sum(judge.atoms().values())
        if reached:
            return 2 + reached
        if not judge.touched():
            return 0
        return 1 if judge.at_rest() else 2

    def checks(self, scene: Scene) -> dict[str, bool]:
        judge = self._judge(scene)
        if self.success == LIBERO:
            return dict(judge.atoms())
        return {**judge.atoms(), "released": not judge.touched(), "at rest": judge.at_rest()}

    def dress(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        for instance, category in self.problem.fixtures.items():
            if category == "flat_stove":
                flat_stove.dress(model, data, instance)

    def _judge(self, scene: Scene) -> Judge:
        if scene not in self._judges:
            self._judges[scene] = Judge(scene, self.problem, self.arena)
        return self._judges[scene]

    def _check_undone(self, scene: Scene) -> None:
        if all(self._judge(scene).atoms().values()):
            raise GoalReachedError(
                f"{self.name}: the goal holds at the start: {'; '.join(map(str, self.goal))}. Whoever acts would have "
                "nothing to do. Change where things start, or the goal, in the definition."
            )

    def _disturb(self, scene: Scene, rng: np.random.Generator) -> None:
        (arm,) = scene.robot.arms
        for joint in arm.joints:
            scene.data.joint(joint).qpos += rng.normal(0.0, JOINT_NOISE)
        scene.hold_robot()


def _bodies(fixture: str, category: str) -> tuple[str, ...]:
    parts = dict.fromkeys(joint.body for joint in object_properties(category).joints.values())
    return (body_name(fixture), *(f"{fixture}_{part}" for part in parts))


@cache
def read_cached(definition: LiberoDefinition) -> Problem:
    """The definition of a task of a suite, read once."""
    return read_problem(definition.path)
