"""The expert for all LIBERO tasks: picks the next subgoal of the goal, and a skill for it, until the goal holds."""

from collections.abc import Mapping

import numpy as np

from ambidex.envs.controllers.ee_delta import EeDelta
from ambidex.envs.env import Environment
from ambidex.envs.tasks.libero.bddl.problem import Atom
from ambidex.envs.tasks.libero.task import LiberoTask
from ambidex.envs.types import Float32Array, FloatArray, Observation
from ambidex.errors import UsageError
from ambidex.scripted_policies.libero.context import Skill, SkillContext
from ambidex.scripted_policies.libero.geometry import FixtureJoint
from ambidex.scripted_policies.libero.hand import Motion
from ambidex.scripted_policies.libero.planning.insertion import insertion_paths
from ambidex.scripted_policies.libero.planning.openings import Opening, find_opening
from ambidex.scripted_policies.libero.skills.door import Door
from ambidex.scripted_policies.libero.skills.drawer import Drawer
from ambidex.scripted_policies.libero.skills.insert import Insert, Shove
from ambidex.scripted_policies.libero.skills.knob import Knob
from ambidex.scripted_policies.libero.skills.push import Slide
from ambidex.scripted_policies.libero.skills.put import Put
from ambidex.scripted_policies.libero.subgoals import Subgoal, SubgoalKind, check_goal, opening_joint, ordered_subgoals

WAYPOINT_NOISE = 0.004  # standard deviation of a grasp position at noise 1 [m]
SPEED_NOISE = 0.12  # standard deviation of the speed at noise 1, as a share
BRIEF_STEPS, WAIT_STEPS = 15, 40  # a failed attempt as short as this had no plan; how long to wait before the next
OPEN_POSITIONS: Mapping[str, float] = {"_top_level": -0.12, "_level": -0.155, "_microjoint": -1.4}
"""End of a joint's name -> position below which it is open wide enough to put objects in [m or rad]."""
PLATE = "plate"  # the category that is slid, not carried, to another place on the table


class LiberoExpert:
    """Reaches one subgoal after the other, and checks after each attempt what remains.

    It may read the whole scene. It acts as a policy does: one float32 action per step in the environment's control
    mode. Under joint control it sends the joint commands that its end-effector actions stand for. For the noise see
    `registry.make_expert`.

    Raises:
        UsageError: The task is not a LIBERO task, or its goal has an atom that no skill can reach.
    """

    def __init__(self, env: Environment, *, noise: float = 0.0) -> None:
        if not isinstance(env.task, LiberoTask):
            raise UsageError(f"{env.spec.task} is not a LIBERO task, and this expert plans from LIBERO goals.")
        check_goal(env.task.problem)
        self._context = SkillContext(env.scene, env.task)
        self._problem = env.task.problem
        self._noise = noise
        self._scene = env.scene
        self._to_joints = EeDelta(env.scene, env.spec.control_hz) if env.spec.control == "joint" else None

    def reset(self, observation: Observation, seed: int) -> None:
        self._rng = np.random.default_rng([seed, 1])
        speed = 1.0 - abs(self._noise * SPEED_NOISE * float(self._rng.standard_normal()))
        self._context.hand.reset(max(0.6, speed))
        self._context.jitter = self._jitter
        self._memory = self._scene.data.userdata.copy()
        self._steps = 0
        self._script = self._reach_goal()

    def act(self, observation: Observation) -> Float32Array:
        self._steps += 1
        next(self._script, None)
        action = self._context.hand.action()
        return action if self._to_joints is None else self._to_joints.command(action, self._memory)

    def _reach_goal(self) -> Motion:
        attempts: dict[Subgoal, int] = {}
        while True:
            remaining = ordered_subgoals(self._problem, self._is_reached, self._is_open)
            if not remaining:
                yield from self._context.hand.wait(1)
                continue
            subgoal = remaining[0]
            attempts[subgoal] = attempts.get(subgoal, -1) + 1
            started = self._steps
            done = yield from choose_skill(self._context, subgoal).motion(attempts[subgoal])
            if not done and self._steps - started < BRIEF_STEPS:
                yield from self._context.hand.wait(WAIT_STEPS)

    def _is_reached(self, atom: Atom) -> bool:
        return self._context.holds(atom) and self._context.is_on_floor(atom)

    def _is_open(self, joint: str) -> bool:
        bound = next(bound for ending, bound in OPEN_POSITIONS.items() if joint.endswith(ending))
        return FixtureJoint(self._context.scene, joint).position < bound

    def _jitter(self) -> FloatArray:
        return np.asarray(self._noise * WAYPOINT_NOISE * self._rng.standard_normal(3) * [1.0, 1.0, 0.25])


def choose_skill(context: SkillContext, subgoal: Subgoal) -> Skill:
    """The skill that reaches a subgoal."""
    if subgoal.kind is SubgoalKind.PUT:
        return _choose_put_skill(context, subgoal)
    if subgoal.kind in (SubgoalKind.TURN_ON, SubgoalKind.TURN_OFF):
        return Knob(context, subgoal)
    return Door(context, subgoal) if subgoal.target.endswith("_microjoint") else Drawer(context, subgoal)


def _choose_put_skill(context: SkillContext, subgoal: Subgoal) -> Skill:
    """Most objects are carried; a plate is slid over the table; under a roof objects are inserted, or else shoved."""
    problem = context.task.problem
    if problem.objects[subgoal.target] == PLATE and problem.owner(subgoal.atom.arguments[1]) == problem.workspace:
        return Slide(context, subgoal)
    opening = _opening(context, subgoal.atom)
    if opening is None:
        return Put(context, subgoal)
    fits = any(True for _ in insertion_paths(problem.objects[subgoal.target], opening))
    return Insert(context, subgoal, opening) if fits else Shove(context, subgoal, opening)


def _opening(context: SkillContext, atom: Atom) -> Opening | None:
    """The opening of the region in an atom; None if it is open at the top, such as a drawer."""
    region, problem = atom.arguments[1], context.task.problem
    joint = opening_joint(problem, region)
    is_drawer = joint is not None and FixtureJoint(context.scene, joint).slides
    if atom.predicate != "in" or region not in problem.regions or is_drawer:
        return None
    return find_opening(context.scene, context.frames(region)[0])
