"""The expert that takes over: it opens the grippers, moves the arms home, and only then plans."""

from collections.abc import Iterator

import numpy as np
import pytest

import ambidex
from ambidex.envs.env import Environment
from ambidex.envs.rollout import rollout
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.registry import make_expert
from ambidex.scripted_policies.retreat import RetreatingExpert, move_hand_home

SEED = 100_000
LONGEST_S = 5.0


@pytest.fixture(params=[("transfer_cube", "joint"), ("transfer_cube", "ee"), ("libero_goal/7", "ee")])
def env(request: pytest.FixtureRequest) -> Iterator[Environment]:
    task, control = request.param
    with ambidex.make(task, control=control, cameras=()) as env:
        yield env


def in_the_middle(env: Environment) -> FloatArray:
    """A state in which the expert is at work, and has closed a gripper around an object."""
    result = rollout(env, make_expert(env), SEED, stop_at_success=True)
    lifted = int(np.argmax(result.stages >= 2))
    assert result.success and lifted > 0
    return result.states[lifted]


def at_home(env: Environment, qpos: FloatArray) -> bool:
    home = np.concatenate([[*arm.home, np.nan] for arm in env.scene.robot.arms])
    return float(np.nanmax(np.abs(qpos - home))) < 0.1


def test_it_plans_at_home_with_open_grippers_and_solves_the_task(env: Environment) -> None:
    state = in_the_middle(env)
    expert = RetreatingExpert(env)
    observation = env.restore(state, SEED)
    expert.reset(observation, SEED)
    grippers = [name.endswith("gripper") for name in env.spec.joint_names]
    assert not at_home(env, observation.qpos)
    before = observation.qpos[grippers].min()
    for _ in range(round(LONGEST_S * env.spec.control_hz)):
        action = expert.act(observation)
        if expert.is_planning:
            break
        observation = env.step(action).observation
    assert expert.is_planning and at_home(env, observation.qpos)
    assert observation.qpos[grippers].min() > 0.9 > before
    env.spec = ambidex.make(env.spec.task, control=env.spec.control, cameras=(), horizon=600).spec
    assert rollout(env, RetreatingExpert(env), SEED, stop_at_success=True, initial_state=state).success


def test_at_home_it_acts_as_the_expert(env: Environment) -> None:
    first = env.reset(SEED)
    agents = (RetreatingExpert(env), make_expert(env))
    for agent in agents:
        agent.reset(first, SEED)
    actions = [agent.act(first) for agent in agents]
    assert agents[0].is_planning and np.array_equal(*actions)


def test_the_hand_gets_home_although_a_straight_line_ends_at_a_limit_of_the_wrist() -> None:
    with ambidex.make("libero_goal/1", cameras=()) as env:
        (arm,) = env.scene.robot.arms
        observation, data = env.reset(SEED), env.scene.data
        for joint, actuator, angle in zip(arm.joints, arm.actuators, (*arm.home[:6], -2.6), strict=True):
            data.joint(joint).qpos[0] = data.actuator(actuator).ctrl[0] = angle
        observation = env.restore(env.scene.state(), SEED)
        for action in move_hand_home(env):
            observation = env.step(action).observation
        assert at_home(env, observation.qpos)
