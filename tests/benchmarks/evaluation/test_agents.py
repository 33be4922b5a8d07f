import numpy as np
import pytest

from ambidex.benchmarks.evaluation.agents import HoldAgent, RandomAgent
from ambidex.envs.env import make
from ambidex.envs.rollout import rollout

STEPS = 60


@pytest.fixture(scope="module", params=["joint", "ee"])
def env(request):
    return make("insertion", control=request.param, cameras=())


def actions(env, agent, seed):
    observation = env.reset(seed)
    agent.reset(observation, seed)
    return np.stack([agent.act(observation) for _ in range(STEPS)])


def test_random_actions_are_within_limits_and_change_twice_a_second(env):
    acted = actions(env, RandomAgent(env), 1)
    assert (acted >= env.controller.low).all() and (acted <= env.controller.high).all()
    changed = np.flatnonzero((np.diff(acted, axis=0) != 0).any(axis=1)) + 1
    assert changed.tolist() == [25, 50]


def test_random_actions_depend_on_the_seed_alone(env):
    agent = RandomAgent(env)
    first = actions(env, agent, 1)
    assert not np.array_equal(first, actions(env, agent, 2))
    np.testing.assert_array_equal(first, actions(env, agent, 1))


def test_hold_keeps_the_initial_pose(env):
    result = rollout(env, HoldAgent(env), 100_000)
    assert not result.success and result.steps == env.spec.horizon
    assert np.abs(result.qpos - result.qpos[0]).max() < 0.02
