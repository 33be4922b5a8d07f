"""What the expert does in an episode follows from task and seed, whatever it did before: workers share episodes out."""

import numpy as np

from ambidex.envs.env import make
from ambidex.envs.rollout import rollout
from ambidex.scripted_policies.registry import make_expert

INTO_BASKET, DRAWER = "libero_object/0", "libero_90/0"


def check_that_a_used_expert_does_as_a_new_one(task: str) -> None:
    env = make(task, cameras=())
    used = make_expert(env, noise=1.0)
    rollout(env, used, 1, stop_at_success=True)
    after = rollout(env, used, 0, stop_at_success=True)
    other = make(task, cameras=())
    new = rollout(other, make_expert(other, noise=1.0), 0, stop_at_success=True)
    np.testing.assert_array_equal(after.actions, new.actions)
    np.testing.assert_array_equal(after.states, new.states)


def test_falls_tried_in_one_episode_are_forgotten_in_the_next() -> None:
    check_that_a_used_expert_does_as_a_new_one(INTO_BASKET)


def test_a_drawer_is_planned_anew_in_every_episode() -> None:
    check_that_a_used_expert_does_as_a_new_one(DRAWER)
