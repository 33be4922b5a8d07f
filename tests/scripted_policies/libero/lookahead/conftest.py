"""A scene with a bowl and a plate, and a collision checker of it."""

import pytest

from ambidex.envs.env import Environment, make
from ambidex.scripted_policies.libero.lookahead.collision import CollisionChecker


@pytest.fixture(scope="module")
def env() -> Environment:
    env = make("libero_goal/1", cameras=())
    env.reset(0)
    return env


@pytest.fixture
def checker(env: Environment) -> CollisionChecker:
    (arm,) = env.scene.robot.arms
    return CollisionChecker(env.scene, arm)
