"""Inverse kinematics remembers within a plan, and a plan that asks without end is told that nothing is in reach."""

import numpy as np
import pytest

from ambidex.envs.env import make
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.lookahead import reach as module
from ambidex.scripted_policies.libero.lookahead.reach import Reach


class Plan:
    """Counts plans, and makes a reach that knows the count."""

    def __init__(self) -> None:
        self.number = 0
        scene = make("libero_goal/1", cameras=()).scene
        (arm,) = scene.robot.arms
        self.reach = Reach(scene.robot, arm, lambda: self.number)
        self.home: FloatArray = np.array(arm.home)
        self.tool = scene.site_pose(arm.tcp_site)


@pytest.fixture
def plan() -> Plan:
    return Plan()


def _lower(tool: Pose, distance: float) -> Pose:
    return tool.shifted((0.0, 0.0, -distance))


def test_the_same_question_has_the_same_answer(plan: Plan) -> None:
    tool = _lower(plan.tool, 0.1)
    first = plan.reach.joints(tool, plan.home)
    assert first is not None
    assert plan.reach.joints(tool, plan.home.copy()) is first
    plan.number += 1
    again = plan.reach.joints(tool, plan.home)
    assert again is not first
    assert again is not None and np.array_equal(again, first)


def test_out_of_reach_is_nothing(plan: Plan) -> None:
    assert plan.reach.joints(plan.tool.shifted((2.0, 0.0, 0.0)), plan.home) is None


def test_a_plan_ends_when_it_has_asked_too_much(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    answers = [plan.reach.joints(_lower(plan.tool, 0.01 * n), plan.home, continuous=True) for n in range(1, 5)]
    assert [answer is None for answer in answers] == [False, False, False, True]
    assert plan.reach.joints(_lower(plan.tool, 0.01), plan.home) is answers[0]
    plan.number += 1
    assert plan.reach.joints(_lower(plan.tool, 0.04), plan.home) is not None
