"""Put pushes away objects that it cannot grasp, notices a lost object, and retreats with open fingers."""

from collections.abc import Iterator
from typing import cast

import numpy as np
import pytest

from ambidex.envs.env import Environment, make
from ambidex.envs.rollout import rollout
from ambidex.envs.tasks.libero.composition import free_joint_name
from ambidex.scripted_policies.libero.context import SkillContext
from ambidex.scripted_policies.libero.hand import OPEN, Motion
from ambidex.scripted_policies.libero.skills.put import LOST_STEPS, while_held
from ambidex.scripted_policies.registry import make_expert

ON_PLATE, BOWL = "libero_spatial/0", "akita_black_bowl_1"
CANS_CLOSE_TOGETHER = ("libero_10/7", 11)
FAR = 0.05  # distance from the initial position [m]
STEPS = 3 * LOST_STEPS


def episode(env: Environment, seed: int) -> Iterator[tuple[float, float, bool]]:
    """Gripper action, height of the tool [m] and success of each step."""
    expert, observation = make_expert(env), env.reset(seed)
    expert.reset(observation, seed)
    tool = env.scene.robot.arms[0].tcp_site
    while True:
        action = expert.act(observation)
        step = env.step(action)
        observation = step.observation
        yield float(action[-1]), float(env.scene.site_pose(tool).position[2]), step.success
        if step.success or step.truncated:
            return


def test_a_can_beside_a_can_is_pushed_away_and_picked_up() -> None:
    task, seed = CANS_CLOSE_TOGETHER
    env = make(task, cameras=())
    result = rollout(env, make_expert(env), seed, stop_at_success=True)
    assert result.success, result.reason


def test_the_hand_retreats_before_the_episode_ends_with_success() -> None:
    steps = list(episode(make(ON_PLATE, cameras=()), 0))
    last_closed = max(i for i, (grip, _, _) in enumerate(steps) if grip > 0.0)
    assert steps[-1][2]
    assert steps[-1][1] > steps[last_closed][1] + 0.04


def test_an_object_lost_on_the_way_is_noticed_at_once() -> None:
    env = make(ON_PLATE, cameras=())
    joint = env.scene.data.joint(free_joint_name(BOWL))
    steps = episode(env, 0)
    next(steps)
    start = joint.qpos.copy()
    next(step for step in steps if np.hypot(*(joint.qpos - start)[:2]) > FAR)
    joint.qpos[:], joint.qvel[:] = start, 0.0
    env.scene.refresh()
    assert OPEN in [next(steps)[0] for _ in range(8)]
    assert any(success for _, _, success in steps)


class FakeContext:
    """Reports whether an object is held, step by step; the last report is repeated."""

    def __init__(self, reports: list[bool]) -> None:
        self._reports, self._calls = reports, 0

    def held(self, obj: str) -> bool:
        assert obj == "bowl_1"
        self._calls += 1
        return self._reports[min(self._calls, len(self._reports)) - 1]


def motion() -> Motion:
    for _ in range(STEPS):
        yield
    return True


def carry(reports: list[bool]) -> tuple[int, bool]:
    """Number of steps of the motion, and its result."""
    carrying, steps = while_held(cast(SkillContext, FakeContext(reports)), "bowl_1", motion()), 0
    while True:
        try:
            next(carrying)
        except StopIteration as end:
            return steps, end.value
        steps += 1


@pytest.mark.parametrize("held_steps", [0, 3])
def test_an_object_is_lost_after_some_consecutive_steps_without_contact(held_steps: int) -> None:
    assert carry([True] * held_steps + [False] * STEPS) == (held_steps + LOST_STEPS, False)


def test_an_object_in_contact_again_in_time_is_not_lost() -> None:
    assert carry(([False] * (LOST_STEPS - 1) + [True]) * 3) == (STEPS, True)


def test_an_object_without_contact_at_the_end_is_not_held() -> None:
    assert carry([True] * (STEPS - 1) + [False]) == (STEPS, False)
