from types import SimpleNamespace

import numpy as np
import pytest

import ambidex
from ambidex.envs.wrappers.lerobot_hub import make_env
from ambidex.errors import UsageError

SMALL = {"horizon": 2, "image_size": (24, 32)}


def test_a_suite_is_numbered_as_lerobot_expects():
    made = make_env(cfg=SimpleNamespace(task=None), **SMALL)
    assert {suite: list(envs) for suite, envs in made.items()} == {"aloha": [0, 1]}
    descriptions = [env.call("task_description")[0] for env in made["aloha"].values()]
    assert "red cube" in descriptions[0] and "peg" in descriptions[1]
    for env in made["aloha"].values():
        env.close()


def test_episodes_are_those_of_their_seeds_and_end_with_final_info():
    ((number, env),) = make_env(2, cfg=SimpleNamespace(task="libero_goal/3"), tasks="aloha", **SMALL)[
        "libero_goal"
    ].items()
    assert number == 3 and env.num_envs == 2
    observation, _ = env.reset(seed=[100_000, 100_001])
    assert observation["pixels"]["agentview"].shape == (2, 24, 32, 3)
    alone = ambidex.make("libero_goal/3", cameras=(), horizon=2)
    np.testing.assert_array_equal(observation["agent_pos"][1], alone.reset(100_001).qpos.astype(np.float32))
    action = np.zeros(env.action_space.shape, np.float32)
    assert "final_info" not in env.step(action)[-1]
    *_, truncated, info = env.step(action)
    assert truncated.all() and info["final_info"]["is_success"].tolist() == [False, False]
    assert env.call("_max_episode_steps") == (2, 2) and env.get_attr("metadata")[0]["render_fps"] == 20
    env.close()


def test_processes_of_their_own():
    env = make_env(2, True, tasks="transfer_cube", cameras=("top",), **SMALL)["aloha"][0]
    try:
        assert env.reset(seed=[0, 1])[0]["pixels"]["top"].shape == (2, 24, 32, 3)
        assert [image.shape for image in env.call("render")] == [(24, 32, 3)] * 2
    finally:
        env.close()


def test_unknown_tasks_are_refused():
    with pytest.raises(UsageError):
        make_env(cfg=SimpleNamespace(task="nothing"))
