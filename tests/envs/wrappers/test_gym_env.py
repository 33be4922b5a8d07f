"""The Gymnasium environment: Gymnasium's checker, vector environments, and what LeRobot's evaluator needs."""

import subprocess
import sys
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from ambidex import make
from ambidex.envs.registry import SUITES, TASKS, find_task
from ambidex.envs.rollout import rollout
from ambidex.envs.wrappers.gym_env import GymEnvironment, environment_id
from ambidex.errors import InvalidActionError, UnknownNameError, UsageError
from ambidex.scripted_policies.registry import make_expert

SMALL: dict[str, Any] = {"image_size": (48, 64)}
# The robot's joint limits are neither symmetric nor within -1 and 1.
pytestmark = pytest.mark.filterwarnings("ignore:.*we recommend using a symmetric and normalized space")


def output(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def gym_make(name: str = "ambidex/Insertion-v0", **kwargs: Any) -> gymnasium.Env[Any, Any]:
    return gymnasium.make(name, **{**SMALL, **kwargs})


@pytest.mark.parametrize("obs_type", ["pixels_agent_pos", "pixels", "state", "flat"])
@pytest.mark.parametrize("task", TASKS)
def test_gymnasiums_checker_passes(task: str, obs_type: str) -> None:
    check_env(gym_make(environment_id(task), obs_type=obs_type, render_mode="rgb_array").unwrapped)


def test_gymnasiums_checker_passes_under_ee_control() -> None:
    check_env(gym_make(control="ee", obs_type="state", render_mode="rgb_array").unwrapped)


def test_ids_come_from_the_registry() -> None:
    assert {environment_id(task) for task in TASKS} <= set(gymnasium.registry)
    assert environment_id("libero_spatial/0") == "ambidex/LiberoSpatial0-v0"
    assert {environment_id(f"libero_90/{i}") for i in range(90)} <= set(gymnasium.registry)


@pytest.mark.parametrize("task", [*TASKS, *(f"{suite}/0" for suite in SUITES if suite.startswith("libero"))])
def test_the_spec_of_an_id_has_the_horizon_of_its_task(task: str) -> None:
    name = environment_id(task)
    steps = gymnasium.spec(name).max_episode_steps
    assert steps == find_task(task).horizon == gym_make(name, obs_type="state").get_wrapper_attr("_max_episode_steps")


def test_flat_observations_are_arrays_under_names_without_a_slash() -> None:
    nested, flat = gym_make().reset(seed=2)[0], gym_make(obs_type="flat").reset(seed=2)[0]
    assert flat.keys() == {"top", "left_wrist", "right_wrist", "agent_pos"}
    np.testing.assert_equal(flat, {**nested["pixels"], "agent_pos": nested["agent_pos"]})


def test_ids_of_libero_tasks_have_their_number() -> None:
    env = gym_make("ambidex/LiberoGoal1-v0", obs_type="state", render_mode="rgb_array", success="libero")
    assert env.unwrapped.task == "libero_goal/put_the_bowl_on_the_stove"  # type: ignore[attr-defined]
    assert env.metadata["render_fps"] == 20
    check_env(env.unwrapped)


@pytest.mark.parametrize(
    "code",
    [
        "import ambidex, gymnasium as g; env = g.make('ambidex/TransferCube-v0')",
        "import gymnasium as g; env = g.make('ambidex:ambidex/TransferCube-v0')",
    ],
)
def test_an_import_or_a_module_prefix_registers_the_ids(code: str) -> None:
    assert output(f"{code}; print(env.unwrapped.task)") == "transfer_cube\n"


def test_a_seed_gives_the_episode_of_that_seed() -> None:
    core, env = make("insertion"), gym_make(obs_type="state")
    observation, info = env.reset(seed=7)
    np.testing.assert_array_equal(observation["environment_state"], core.reset(7).objects.astype(np.float32))
    assert info["episode_seed"] == 7


def test_without_a_seed_the_info_has_the_drawn_seed() -> None:
    env = gym_make(obs_type="state")
    first, again = env.reset(seed=1), env.reset()
    replayed, _ = env.reset(seed=again[1]["episode_seed"])
    assert first[1]["episode_seed"] != again[1]["episode_seed"]
    np.testing.assert_array_equal(replayed["environment_state"], again[0]["environment_state"])


def test_twin_rollouts_are_identical() -> None:
    twins = [gym_make(), gym_make()]
    firsts = [twin.reset(seed=3)[0] for twin in twins]
    np.testing.assert_equal(firsts[0], firsts[1])
    twins[0].action_space.seed(0)
    for _ in range(5):
        action = twins[0].action_space.sample()
        left, right = (twin.step(action) for twin in twins)
        np.testing.assert_equal(left, right)


def test_reward_is_the_stage_and_info_has_the_checks() -> None:
    env, core = gym_make(obs_type="state"), make("insertion")
    env.reset(seed=0)
    start = core.reset(0).qpos.astype(np.float32)
    _, reward, terminated, truncated, info = env.step(start)
    expected = core.step(start)
    assert (reward, terminated, truncated) == (expected.stage, False, False)
    assert info == {"is_success": False, "stage": expected.stage, "checks": dict(expected.checks)}


def test_the_horizon_truncates_once() -> None:
    env = gym_make(obs_type="state")
    hold = env.reset(seed=0)[0]["agent_pos"]
    ends = [env.step(hold)[2:4] for _ in range(400)]
    assert ends[:-1] == [(False, False)] * 399
    assert ends[-1] == (False, True)


def test_strict_success_terminates() -> None:
    core = make("transfer_cube")
    demonstration = rollout(core, make_expert(core), seed=0)
    env = gym_make("ambidex/TransferCube-v0", obs_type="state")
    env.reset(seed=0)
    for action in demonstration.actions:
        _, reward, terminated, truncated, info = env.step(action)
        assert info["is_success"] == terminated
        if terminated:
            break
    assert (reward, terminated, truncated) == (4.0, True, False)
    assert all(info["checks"].values())


def test_a_shorter_limit_is_gymnasiums_own() -> None:
    env = gym_make(obs_type="state", max_episode_steps=2)
    hold = env.reset(seed=0)[0]["agent_pos"]
    assert [env.step(hold)[3] for _ in range(2)] == [False, True]


def test_a_stored_state_is_continued() -> None:
    env, core = gym_make(obs_type="state"), make("insertion")
    hold = core.reset(5).qpos.astype(np.float32)
    for _ in range(10):
        core.step(hold)
    observation, _ = env.reset(options={"state": core.scene.state()})
    np.testing.assert_array_equal(observation["environment_state"], core.observe().objects.astype(np.float32))
    after = env.step(hold)[0]
    np.testing.assert_array_equal(after["agent_pos"], core.step(hold).observation.qpos.astype(np.float32))


def test_environments_in_one_process_render_independently() -> None:
    one, other = gym_make(), gym_make(image_size=(96, 128))
    first, _ = one.reset(seed=0)
    other.reset(seed=1)
    other.close()
    again, _ = one.reset(seed=0)
    np.testing.assert_equal(again, first)


def test_close_may_be_called_twice_and_the_environment_used_again() -> None:
    env = gym_make().unwrapped
    first, _ = env.reset(seed=0)
    env.close()
    env.close()
    np.testing.assert_equal(env.reset(seed=0)[0], first)


def test_render_needs_a_mode_and_follows_the_camera() -> None:
    assert gym_make().unwrapped.render_mode is None
    env = gym_make(render_mode="rgb_array", render_camera="top")
    observation, _ = env.reset(seed=0)
    np.testing.assert_array_equal(env.render(), observation["pixels"]["top"])


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_vector_environments_agree_with_single_ones(mode: str) -> None:
    single = gym_make()
    expected, _ = single.reset(seed=4)  # also proves that workers survive a parent that has rendered
    envs = gymnasium.make_vec("ambidex/Insertion-v0", num_envs=2, vectorization_mode=mode, **SMALL)
    try:
        observations, info = envs.reset(seed=[4, 5])
        np.testing.assert_array_equal(observations["pixels"]["top"][0], expected["pixels"]["top"])
        assert info["episode_seed"].tolist() == [4, 5]
        _, rewards, terminated, truncated, info = envs.step(envs.action_space.sample())
        assert rewards.shape == terminated.shape == truncated.shape == info["is_success"].shape == (2,)
        assert set(envs.call("task")) == {"insertion"}
        assert set(envs.call("_max_episode_steps")) == {400}
        assert all("peg" in words for words in envs.call("task_description"))
    finally:
        envs.close()


@pytest.mark.parametrize(
    "kwargs", [{"obs_type": "pixel"}, {"cameras": ["topp"]}, {"render_camera": "topp"}, {"control": "jiont"}]
)
def test_unknown_names_list_the_known_ones(kwargs: dict[str, Any]) -> None:
    with pytest.raises(UnknownNameError) as caught:
        gym_make(**kwargs)
    assert caught.value.facts["expected"]


def test_pixels_without_a_camera_are_refused() -> None:
    with pytest.raises(UsageError, match="at least one camera"):
        gym_make(cameras=[])


def test_a_bad_action_is_refused() -> None:
    env = gym_make(obs_type="state").unwrapped
    env.reset(seed=0)
    with pytest.raises(InvalidActionError):
        env.step(np.zeros(3, np.float32))


def test_frames_per_second_are_the_control_rate() -> None:
    assert GymEnvironment("insertion").metadata["render_fps"] == 50


def test_resets_without_a_seed_draw_training_seeds() -> None:
    env = gymnasium.make("ambidex/TransferCube-v0", obs_type="state", cameras=())
    seeds = [env.reset(seed=1)[1]["episode_seed"]] + [env.reset()[1]["episode_seed"] for _ in range(20)]
    assert len(set(seeds)) > 15
    assert max(seeds) < 100_000
    env.close()
