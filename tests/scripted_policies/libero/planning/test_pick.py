"""Margins of a search end with it, even if it raises: one expert plans all episodes of a worker."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from ambidex.envs.env import Environment, make
from ambidex.envs.rollout import rollout
from ambidex.envs.tasks.libero.task import LiberoTask
from ambidex.scripted_policies.libero.context import SkillContext
from ambidex.scripted_policies.libero.planning.pick import PickPlanner, PlanningMargins, PutPlan
from ambidex.scripted_policies.libero.skills.put import Put
from ambidex.scripted_policies.libero.subgoals import Subgoal, SubgoalKind
from ambidex.scripted_policies.registry import make_expert

ON_PLATE = "libero_goal/3"
PLANNED_AT_ONCE = "libero_goal/8"
MESSAGE = "A search that raises."
PLANNED = 40  # steps, after which the expert has planned its grasp and moves to it


class RaisesLater:
    """Finds no plan a number of times, and then raises."""

    def __init__(self, calls: int) -> None:
        self._left = calls

    def __call__(self, *arguments: object) -> Iterator[PutPlan]:
        self._left -= 1
        if self._left < 0:
            raise FloatingPointError(MESSAGE)
        return iter(())


def context_of(env: Environment) -> SkillContext:
    assert isinstance(env.task, LiberoTask)
    return SkillContext(env.scene, env.task)


def raise_in_the_search_with_the_lowest_margins(context: SkillContext) -> None:
    atom = context.task.problem.goal[0]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(FloatingPointError, match=MESSAGE):
        patch.setattr(PickPlanner, "plans", RaisesLater(len(Put.MARGINS) - 1))
        next(Put(context, Subgoal(SubgoalKind.PUT, atom.arguments[0], atom)).motion(0))


def grasps_found(context: SkillContext) -> list[tuple[bytes, bytes, float]]:
    """Position of the hand, joints and gap of the first grasps."""
    context.collisions.sync()
    atom = context.task.problem.goal[0]
    found = PickPlanner(context, atom).reachable_grasps(PlanningMargins(), context.pose_of(atom.arguments[0]))
    return [(grasp.tool.position.tobytes(), grasp.joints.tobytes(), gap) for grasp, gap in itertools.islice(found, 3)]


def test_a_search_that_raises_leaves_the_margins_of_the_next() -> None:
    env = make(ON_PLATE, cameras=())
    env.reset(0)
    context = context_of(env)
    expected = grasps_found(context)
    raise_in_the_search_with_the_lowest_margins(context)
    assert grasps_found(context) == expected != []


def test_after_an_episode_that_raises_an_expert_acts_like_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    env, other = (make(PLANNED_AT_ONCE, cameras=(), horizon=PLANNED) for _ in range(2))
    used = make_expert(env)
    with monkeypatch.context() as patch:
        patch.setattr(PickPlanner, "plans", RaisesLater(len(Put.MARGINS) - 1))
        assert MESSAGE in rollout(env, used, 1).reason
    after, new = rollout(env, used, 0), rollout(other, make_expert(other), 0)
    assert after.steps == PLANNED
    np.testing.assert_array_equal(after.actions, new.actions)
    np.testing.assert_array_equal(after.states, new.states)
