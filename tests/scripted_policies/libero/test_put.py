"""The expert pushes away what it cannot take, notices what it loses, and leaves with its fingers open."""

from collections.abc import Iterator

import numpy as np

from ambidex.envs.env import Environment, make
from ambidex.envs.rollout import rollout
from ambidex.envs.tasks.libero.composition import free_joint
from ambidex.scripted_policies.registry import make_expert

ON_PLATE, BOWL = "libero_spatial/0", "akita_black_bowl_1"
CANS_CLOSE_TOGETHER = ("libero_10/7", 11)
OPEN = -1.0
FAR = 0.05  # from where it stood [m]


def played(env: Environment, seed: int) -> Iterator[tuple[float, float, bool]]:
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


def test_a_can_beside_a_can_is_pushed_along_and_taken() -> None:
    task, seed = CANS_CLOSE_TOGETHER
    env = make(task, cameras=())
    result = rollout(env, make_expert(env), seed, stop_at_success=True)
    assert result.success, result.reason


def test_the_hand_goes_up_while_the_half_second_runs() -> None:
    steps = list(played(make(ON_PLATE, cameras=()), 0))
    last_closed = max(i for i, (grip, _, _) in enumerate(steps) if grip > 0.0)
    assert steps[-1][2]
    assert steps[-1][1] > steps[last_closed][1] + 0.04


def test_a_thing_lost_on_the_way_is_noticed_at_once() -> None:
    env = make(ON_PLATE, cameras=())
    joint = env.scene.data.joint(free_joint(BOWL))
    steps = played(env, 0)
    next(steps)
    start = joint.qpos.copy()
    next(step for step in steps if np.hypot(*(joint.qpos - start)[:2]) > FAR)
    joint.qpos[:], joint.qvel[:] = start, 0.0
    env.scene.refresh()
    assert OPEN in [next(steps)[0] for _ in range(8)]
    assert any(success for _, _, success in steps)
