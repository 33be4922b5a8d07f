"""Which skill puts a thing where it should be."""

import mujoco

from ambidex.scripted_policies.libero.insert import Insert
from ambidex.scripted_policies.libero.job import Job
from ambidex.scripted_policies.libero.jobs import lid_of
from ambidex.scripted_policies.libero.opening import Opening, find_opening
from ambidex.scripted_policies.libero.pick_plan import PLATE
from ambidex.scripted_policies.libero.put import Put
from ambidex.scripted_policies.libero.shove import Shove
from ambidex.scripted_policies.libero.skill import Skill
from ambidex.scripted_policies.libero.slide import Slide
from ambidex.scripted_policies.libero.ways_in import ways_in
from ambidex.scripted_policies.libero.workplace import Workplace


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
