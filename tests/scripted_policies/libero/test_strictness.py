"""How strict a plan is ends with it, even if it breaks: one expert plays all episodes of a worker."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from ambidex.envs.env import Environment, make
from ambidex.envs.rollout import rollout
from ambidex.envs.tasks.libero.task import LiberoTask
from ambidex.scripted_policies.libero.context import Workplace
from ambidex.scripted_policies.libero.planning.pick import PickPlan, PutPlan, Strictness
from ambidex.scripted_policies.libero.skills.put import STRICTNESS, Put
from ambidex.scripted_policies.libero.subgoals import Job, Work
from ambidex.scripted_policies.registry import make_expert

ON_PLATE = "libero_goal/3"
BROKEN = "A plan that breaks."


class Breaks:
    """Finds no plan a number of times, and breaks at the next."""

    def __init__(self, calls: int) -> None:
        self._left = calls

    def __call__(self, *arguments: object) -> Iterator[PutPlan]:
        self._left -= 1
        if self._left < 0:
            raise FloatingPointError(BROKEN)
        return iter(())


def workplace(env: Environment) -> Workplace:
    assert isinstance(env.task, LiberoTask)
    return Workplace(env.scene, env.task)


def break_the_least_strict_plan(work: Workplace) -> None:
    atom = work.task.problem.goal[0]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(FloatingPointError, match=BROKEN):
        patch.setattr(PickPlan, "plans", Breaks(len(STRICTNESS) - 1))
        next(Put(work, Job(Work.PUT, atom.arguments[0], atom)).motion(0))


def grasps_found(work: Workplace) -> list[tuple[bytes, bytes, float]]:
    """Where the hand is, the joints there and the opening of the first grasps."""
    work.probe.renew()
    thing = work.task.problem.goal[0].arguments[0]
    where, category, here, joints = work.pose_of(thing), work.category(thing), work.hand.tool(), work.joints()
    takes = work.pick_plan.takes(thing, where, category, here, joints, Strictness())
    return [(tool.position.tobytes(), at.tobytes(), opening) for tool, at, opening in itertools.islice(takes, 3)]


def test_a_plan_that_breaks_leaves_the_next_as_strict_as_ever() -> None:
    env = make(ON_PLATE, cameras=())
    env.reset(0)
    work = workplace(env)
    expected = grasps_found(work)
    break_the_least_strict_plan(work)
    assert grasps_found(work) == expected != []


def test_after_an_episode_that_breaks_an_expert_does_as_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    env, other = make(ON_PLATE, cameras=()), make(ON_PLATE, cameras=())
    used = make_expert(env)
    with monkeypatch.context() as patch:
        patch.setattr(PickPlan, "plans", Breaks(len(STRICTNESS) - 1))
        assert BROKEN in rollout(env, used, 1).reason
    after = rollout(env, used, 0, stop_at_success=True)
    new = rollout(other, make_expert(other), 0, stop_at_success=True)
    np.testing.assert_array_equal(after.actions, new.actions)
    np.testing.assert_array_equal(after.states, new.states)
