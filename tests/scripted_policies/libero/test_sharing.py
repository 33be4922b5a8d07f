"""Things that share a container leave room for each other, and what falls is tried before it is dropped."""

import numpy as np
import pytest

from ambidex.envs.env import Environment, make
from ambidex.envs.rollout import rollout
from ambidex.envs.simulation.pose import Pose
from ambidex.envs.tasks.libero.goals.world import RegionFrame
from ambidex.scripted_policies.libero.lookahead.resting import Fall
from ambidex.scripted_policies.libero.planning.placements import ENOUGH, room_beside
from ambidex.scripted_policies.registry import make_expert

BOTH_IN_BASKET = "libero_10/1"
CHEESE, BUTTER, BASKET = "cream_cheese_1", "butter_1", "basket_1"
UPRIGHT = np.array([1.0, 0.0, 0.0, 0.0])


@pytest.fixture(scope="module")
def env() -> Environment:
    env = make(BOTH_IN_BASKET, cameras=())
    env.reset(0)
    return env


def region() -> RegionFrame:
    return RegionFrame(position=np.zeros(3), rotation=np.eye(3), half_size=np.array([0.061, 0.061, 0.07]))


def room_at(x: float) -> float:
    return room_beside(region(), "alphabet_soup", Pose(np.array([x, 0.0, -0.03]), UPRIGHT), "cream_cheese")


def test_a_can_at_the_wall_leaves_room_for_a_box_and_one_in_the_middle_does_not() -> None:
    assert room_at(0.0) < 0.0 < room_at(0.03) <= ENOUGH
    assert room_at(0.03) == pytest.approx(room_at(-0.03), abs=0.001)


def test_what_is_laid_down_settles_and_what_is_let_go_high_up_is_still_falling(env: Environment) -> None:
    fall = Fall(env.scene, env.scene.robot.arms[0])
    before, lying = env.scene.state(), env.scene.body_pose(f"{CHEESE}_main")
    assert fall.settles(CHEESE, lying.shifted((0.0, 0.0, 0.02)))
    assert not fall.settles(CHEESE, lying.shifted((0.0, 0.0, 9.0)))
    np.testing.assert_array_equal(before, env.scene.state())


def test_a_fall_ends_in_the_copy_where_it_would_end_in_the_world(env: Environment) -> None:
    fall = Fall(env.scene, env.scene.robot.arms[0])
    lying = env.scene.body_pose(f"{CHEESE}_main")
    fall.settles(CHEESE, lying.shifted((0.0, 0.0, 0.03)))
    np.testing.assert_allclose(fall.data.body(f"{CHEESE}_main").xpos, lying.position, atol=0.003)


def test_cheese_and_butter_come_to_lie_side_by_side(env: Environment) -> None:
    result = rollout(env, make_expert(env), 0, stop_at_success=True)
    assert result.success, result.reason
    basket, *things = (env.scene.body_pose(f"{thing}_main") for thing in (BASKET, CHEESE, BUTTER))
    assert all(0.0 < (basket.inverse() @ thing).position[2] < 0.025 for thing in things)
