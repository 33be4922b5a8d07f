"""The reach checker caches its solutions until the collision checker is synced, and limits their number."""

import numpy as np
import pytest

from ambidex.envs.env import Environment
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.libero.lookahead import reach as module
from ambidex.scripted_policies.libero.lookahead.collision import CollisionChecker
from ambidex.scripted_policies.libero.lookahead.reach import ReachChecker


@pytest.fixture
def reach(env: Environment, checker: CollisionChecker) -> ReachChecker:
    (arm,) = env.scene.robot.arms
    return ReachChecker(env.scene.robot, arm, checker)


@pytest.fixture
def home(env: Environment) -> FloatArray:
    (arm,) = env.scene.robot.arms
    return np.array(arm.home)


def below_home(env: Environment, distance: float) -> Pose:
    (arm,) = env.scene.robot.arms
    return env.scene.site_pose(arm.tcp_site).shifted((0.0, 0.0, -distance))


def test_a_solution_is_cached_until_sync(
    env: Environment, checker: CollisionChecker, reach: ReachChecker, home: FloatArray
) -> None:
    tool = below_home(env, 0.1)
    first = reach.joints_at(tool, home)
    assert first is not None
    assert reach.joints_at(tool, home.copy()) is first
    checker.sync()
    again = reach.joints_at(tool, home)
    assert again is not first
    assert again is not None and np.array_equal(again, first)


def test_a_pose_out_of_reach_has_no_solution(env: Environment, reach: ReachChecker, home: FloatArray) -> None:
    assert reach.joints_at(below_home(env, 0.0).shifted((2.0, 0.0, 0.0)), home) is None


def test_after_too_many_solutions_nothing_new_is_in_reach_until_sync(
    env: Environment,
    checker: CollisionChecker,
    reach: ReachChecker,
    home: FloatArray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_SOLUTIONS", 3)
    answers = [reach.joints_at(below_home(env, 0.01 * n), home, continuous=True) for n in range(1, 5)]
    assert [answer is None for answer in answers] == [False, False, False, True]
    assert reach.joints_at(below_home(env, 0.01), home) is answers[0]
    checker.sync()
    assert reach.joints_at(below_home(env, 0.04), home) is not None
