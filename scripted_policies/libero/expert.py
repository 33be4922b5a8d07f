"""The expert of every task that a BDDL file defines."""

from collections.abc import Mapping
from typing import Protocol

import mujoco
import numpy as np

from ambidex.envs.env import Environment
from ambidex.envs.tasks.libero.bddl.problem import Atom
from ambidex.envs.tasks.libero.task import LiberoTask
from ambidex.envs.types import Float32Array, FloatArray, Observation
from ambidex.errors import UsageError
from ambidex.scripted_policies.libero.context import Workplace
from ambidex.scripted_policies.libero.hand import Motion
from ambidex.scripted_policies.libero.planning.insert import ways_in
from ambidex.scripted_policies.libero.planning.openings import Opening, find_opening
from ambidex.scripted_policies.libero.planning.pick import PLATE
from ambidex.scripted_policies.libero.skills.door import Door
from ambidex.scripted_policies.libero.skills.drawer import Drawer
from ambidex.scripted_policies.libero.skills.insert import Insert, Shove
from ambidex.scripted_policies.libero.skills.knob import Knob
from ambidex.scripted_policies.libero.skills.push import Slide
from ambidex.scripted_policies.libero.skills.put import Put
from ambidex.scripted_policies.libero.subgoals import Job, Work, check_goal, jobs, lid_of

# FOLDED scripted_policies.libero.skill: What can be tried until it works.


class Skill(Protocol):
    """A skill for one job. Attempt n takes the n-th way of doing it."""

    def motion(self, attempt: int) -> Motion:
        """One try; true if it seems to have worked. Ends with the hand free and off everything."""
        ...


WAYPOINT_NOISE = 0.004  # standard deviation of a grasp at noise 1 [m]
PACE_NOISE = 0.12  # standard deviation of the pace at noise 1, as a share
BRIEF, WAIT = 15, 40  # an attempt that ends in so few steps found no way; how long to wait then, as nothing changes
WIDE_ENOUGH: Mapping[str, float] = {"_top_level": -0.12, "_level": -0.155, "_microjoint": -1.4}
"""End of a joint's name -> where it is open enough to put things in [m or rad]."""


class LiberoExpert:
    """Reads the goal, does one job after the other, and looks again whether everything holds.

    It may read everything in the world. It acts as a policy does: one float32 action per step, in [-1, 1].
    """

    def __init__(self, env: Environment, *, noise: float = 0.0) -> None:
        if not isinstance(env.task, LiberoTask):
            raise UsageError(f"{env.spec.task} is none of LIBERO's tasks, and this expert plans from their goals.")
        check_goal(env.task.problem)
        self._work = Workplace(env.scene, env.task)
        self._task = env.task
        self._noise = noise

    def reset(self, observation: Observation, seed: int) -> None:
        self._rng = np.random.default_rng([seed, 1])
        pace = 1.0 - abs(self._noise * PACE_NOISE * float(self._rng.standard_normal()))
        self._work.hand.reset(max(0.6, pace))
        self._work.jitter = self._jitter
        self._acted = 0
        self._script = self._work_through()

    def act(self, observation: Observation) -> Float32Array:
        self._acted += 1
        next(self._script, None)
        return self._work.hand.action()

    def _work_through(self) -> Motion:
        """One job after the other, each until it is done; then stand still and watch."""
        tries: dict[Job, int] = {}
        while True:
            todo = jobs(self._task.problem, self._holds, self._stands_open)
            if not todo:
                yield from self._work.hand.pause(1)
                continue
            job = todo[0]
            tries[job] = tries.get(job, -1) + 1
            began = self._acted
            done = yield from self._skill(job).motion(tries[job])
            if not done and self._acted - began < BRIEF:
                yield from self._work.hand.pause(WAIT)

    def _skill(self, job: Job) -> Skill:
        if job.work is Work.PUT:
            return putting(self._work, job)
        if job.work in (Work.TURN_ON, Work.TURN_OFF):
            return Knob(self._work, job)
        return Door(self._work, job) if job.thing.endswith("_microjoint") else Drawer(self._work, job)

    def _holds(self, atom: Atom) -> bool:
        return self._work.holds(atom) and self._work.stands_in(atom)

    def _stands_open(self, lid: str) -> bool:
        bound = next(bound for ending, bound in WIDE_ENOUGH.items() if lid.endswith(ending))
        return self._work.position(lid) < bound

    def _jitter(self) -> FloatArray:
        return np.asarray(self._noise * WAYPOINT_NOISE * self._rng.standard_normal(3) * [1.0, 1.0, 0.25])


# FOLDED scripted_policies.libero.putting: Which skill puts a thing where it should be.


def putting(work: Workplace, job: Job) -> Skill:
    """The skill for a job of putting.

    Most things are carried, a plate to another place on the table is slid, what belongs under a roof goes in from the
    side, and what cannot stand there is shoved in.
    """
    problem = work.task.problem
    if problem.objects[job.thing] == PLATE and problem.owner(job.atom.arguments[1]) == problem.workspace:
        return Slide(work, job)
    opening = _opening(work, job)
    if opening is None:
        return Put(work, job)
    fits = any(True for _ in ways_in(problem.objects[job.thing], opening))
    return Insert(work, job, opening) if fits else Shove(work, job, opening)


def _opening(work: Workplace, job: Job) -> Opening | None:
    """How the place is covered and open; None for what is open above, such as a drawer."""
    region = job.atom.arguments[1]
    problem = work.task.problem
    if job.atom.predicate != "in" or region not in problem.regions or _is_drawer(work, region):
        return None
    (frame, *_) = work.frames(region)
    return find_opening(work.scene.model, work.scene.data, frame)


def _is_drawer(work: Workplace, region: str) -> bool:
    lid = lid_of(work.task.problem, region)
    return lid is not None and work.scene.model.joint(lid).type[0] == mujoco.mjtJoint.mjJNT_SLIDE.value
