"""What recording writes, with any number of workers, after interruptions, and when an attempt cannot start."""

import json
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from failing_reset import fail_reset
from recording_fakes import SMALL, STATES, DyingAgent, FailingAgent, FakeAgent, contents, record_to

from ambidex.benchmarks.gallery.sources import read_dataset
from ambidex.benchmarks.speed.recording import PROC, PeakMemory
from ambidex.envs.env import make
from ambidex.envs.rollout import rollout
from ambidex.envs.types import Outcome
from ambidex.errors import DatasetError, SimulationError
from ambidex.recorders.dataset.attempts import read_attempts
from ambidex.recorders.dataset.dataset import read
from ambidex.recorders.formats.act import episode_path


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """A dataset recorded by one worker in one go."""
    directory = tmp_path_factory.mktemp("straight") / "data"
    (summary,) = record_all(directory, workers=1)
    assert summary.complete and summary.written == 4 + 4
    return directory


def record_all(directory, **changes):
    return record_to(directory, keep_failures=True, video="all", **changes)


def test_successes_are_numbered_in_the_order_of_their_seeds(straight):
    rows = read_attempts(straight)
    assert [row.seed for row in rows] == list(range(10))
    assert {row.seed: row.episode for row in rows if row.episode is not None} == {1: 0, 4: 1, 6: 2, 9: 3}
    assert [row.outcome for row in rows[:3]] == ["failure", "success", "error"]
    assert rows[2].reason == "RuntimeError: the gripper fell off"
    with read(episode_path(straight, 2)) as file:
        assert file.episode.seed == 6 and file.episode.success and file.cameras == ("top",)


def test_dataset_json_has_the_counts_and_the_command(straight):
    info = read(straight).info
    assert (info.attempts, info.successes, info.failures, info.errors, info.episodes) == (10, 4, 4, 2, 4)
    assert info.complete
    assert "--num-episodes 4" in info.command and "--workers" not in info.command and str(straight) not in info.command


def test_failures_are_stored_apart_and_attempts_with_errors_are_not(straight):
    assert sorted(path.name for path in (straight / "failures").iterdir()) == [
        f"episode_{seed}.hdf5" for seed in (0, 3, 5, 8)
    ]
    assert len(list(straight.glob("episode_*.hdf5"))) == 4
    assert len(list((straight / "videos").glob("episode_*_success.mp4"))) == 4
    assert len(list((straight / "videos").glob("seed_*_failure.mp4"))) == 4


def test_images_are_those_of_the_observation_before_each_action(straight):
    env = make("insertion", cameras=("top",), image_size=(24, 32))
    with read(episode_path(straight, 0)) as file:
        for t in (0, file.steps - 1):
            np.testing.assert_array_equal(file.frame("top", t), env.render(file.episode.states[t], "top"))
        np.testing.assert_array_equal(file.episode.states[0], env.reset(file.episode.seed).state)
    env.close()


def test_observations_are_those_before_each_action(straight):
    env = make("insertion", cameras=())
    with read(episode_path(straight, 0)) as file:
        episode = file.episode
    for t in range(episode.steps):
        observation = env.restore(episode.states[t])
        np.testing.assert_array_equal(episode.qpos[t], observation.qpos.astype(np.float32))
        np.testing.assert_array_equal(episode.qvel[t], observation.qvel.astype(np.float32))
        assert episode.stages[t] == env.stage()
        np.testing.assert_array_equal(env.step(episode.joint_actions[t]).observation.state, episode.states[t + 1])


@pytest.mark.parametrize("workers", [0, 2])
def test_any_number_of_workers_gives_the_same_files(straight, tmp_path, workers):
    record_all(tmp_path, workers=workers)
    assert contents(tmp_path) == contents(straight)


def test_resume_does_not_touch_a_complete_dataset(straight):
    before = {path: path.stat().st_mtime_ns for path in straight.rglob("*")}
    (summary,) = record_all(straight, workers=0, resume=True)
    assert summary.complete and summary.written == 0
    assert {path: path.stat().st_mtime_ns for path in straight.rglob("*")} == before


def test_a_dataset_can_be_extended(straight, tmp_path):
    record_all(tmp_path, num_episodes=2, workers=0)
    record_all(tmp_path, num_episodes=4, workers=0, resume=True)
    assert contents(tmp_path) == contents(straight)


def test_missing_files_are_recorded_again(straight, tmp_path):
    shutil.copytree(straight, tmp_path, dirs_exist_ok=True)
    episode_path(tmp_path, 1).unlink()
    (tmp_path / "failures" / "episode_5.hdf5").unlink()
    (tmp_path / "videos" / "episode_3_success.mp4").unlink()
    (summary,) = record_all(tmp_path, workers=0, resume=True)
    assert summary.written == 3
    assert contents(tmp_path) == contents(straight)


@pytest.mark.parametrize(("rows", "workers"), [(0, 0), pytest.param(3, 2, marks=pytest.mark.slow), (4, 0), (9, 0)])
def test_resume_after_a_torn_row_gives_the_same_files(straight, tmp_path, rows, workers):
    """Files are written in this order, so a killed run can leave any of these states."""
    shutil.copytree(straight, tmp_path, dirs_exist_ok=True)
    lines = (tmp_path / "attempts.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "attempts.jsonl").write_text("".join(lines[:rows]) + lines[rows][:20])
    for row in map(json.loads, lines[rows:]):
        if row["episode"] is not None:
            episode_path(tmp_path, row["episode"]).unlink()
    (tmp_path / ".episode_7.hdf5.tmp-123").write_text("half")
    (tmp_path / "videos" / ".episode_7_success.mp4.tmp-123").write_text("half")
    record_all(tmp_path, workers=workers, resume=True)
    assert contents(tmp_path) == contents(straight)


def test_resume_of_an_empty_folder_starts(straight, tmp_path):
    record_all(tmp_path / "new", workers=0, resume=True)
    assert contents(tmp_path / "new") == contents(straight)


def test_a_worker_that_dies_is_replaced_and_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("DYING_AGENT_MARKER", str(tmp_path / "marker"))
    record_to(tmp_path / "died", STATES, DyingAgent, workers=2)
    assert (tmp_path / "marker").exists()
    record_to(tmp_path / "lived", STATES, workers=0)
    assert contents(tmp_path / "died") == contents(tmp_path / "lived")


def test_a_worker_that_dies_again_stops_the_run_and_resume_gives_the_same_files(tmp_path, monkeypatch):
    monkeypatch.setenv("DYING_AGENT_MARKER", str(tmp_path / "marker"))
    monkeypatch.setenv("DYING_AGENT_TIMES", "2")
    with pytest.raises(DatasetError, match="died") as error:
        record_to(tmp_path / "died", STATES, DyingAgent, workers=1)
    assert error.value.facts["seed"] == 3
    assert not read(tmp_path / "died").info.complete
    record_to(tmp_path / "died", STATES, workers=0, resume=True)
    record_to(tmp_path / "lived", STATES, workers=0)
    assert contents(tmp_path / "died") == contents(tmp_path / "lived")


def test_video_of_the_first_episode_without_stored_images(tmp_path):
    record_to(tmp_path, STATES, num_episodes=2, video="first", workers=0)
    assert [path.name for path in (tmp_path / "videos").iterdir()] == ["episode_0_success.mp4"]
    with read(episode_path(tmp_path, 0)) as file:
        assert file.cameras == ()


def test_a_suite_makes_one_dataset_per_task(tmp_path):
    summaries = record_to(tmp_path, STATES, task="aloha", num_episodes=1, workers=0)
    assert [summary.directory for summary in summaries] == [tmp_path / "transfer_cube", tmp_path / "insertion"]
    record_to(tmp_path / "alone", STATES, task="insertion", num_episodes=1, workers=0)
    assert contents(tmp_path / "alone") == contents(tmp_path / "insertion")


def test_running_out_of_attempts_is_incomplete_and_keeps_what_was_recorded(tmp_path):
    (summary,) = record_to(tmp_path, STATES, max_attempts=8, workers=0)
    assert not summary.complete and (summary.stored, summary.attempts) == (3, 8)
    assert "3 of 4 episodes" in summary.shortfall("cmd") and "95 % interval" in summary.shortfall("cmd")
    info = read(tmp_path).info
    assert not info.complete and info.episodes == 3
    (summary,) = record_to(tmp_path, STATES, max_attempts=28, workers=0, resume=True)
    assert summary.complete and read(tmp_path).info.complete
    record_to(tmp_path / "straight", STATES, workers=0)
    assert contents(tmp_path / "straight")["rows"] == contents(tmp_path)["rows"]


def test_failures_alone_are_no_error(tmp_path):
    (summary,) = record_to(tmp_path, STATES, FailingAgent, max_attempts=6, workers=0)
    assert (summary.stored, summary.attempts) == (0, 6)


class AgentWithoutSeed3(FakeAgent):
    """Seed 3 cannot be reset."""

    def __init__(self, env):
        super().__init__(env)
        fail_reset(env, 3)


def test_a_seed_that_cannot_be_reset_is_listed_and_not_stored(tmp_path):
    (summary,) = record_to(tmp_path, agent=AgentWithoutSeed3, workers=0, keep_failures=True, video="all")
    assert summary.complete and len(read(tmp_path)) == 4
    rows = read_attempts(tmp_path)
    assert [row.seed for row in rows] == list(range(10))
    bad = rows[3]
    assert (bad.outcome, bad.steps, bad.stage, bad.episode) == (Outcome.ERROR, 0, 0, None)
    assert bad.reason == "NoFreeSpotError: there is no room for the bowl"
    assert not (tmp_path / "failures" / "episode_3.hdf5").exists()
    shown = {episode.seed: episode for episode in read_dataset(tmp_path).episodes}[3]
    assert not shown.can_be_watched and shown.reason == bad.reason


def test_resume_continues_after_a_seed_that_cannot_be_reset(tmp_path):
    record_to(tmp_path / "straight", agent=AgentWithoutSeed3, workers=0)
    record_to(tmp_path / "parts", agent=AgentWithoutSeed3, workers=0, num_episodes=1)
    record_to(tmp_path / "parts", agent=AgentWithoutSeed3, workers=0, resume=True)
    assert contents(tmp_path / "parts") == contents(tmp_path / "straight")


def test_the_first_seed_may_be_the_one_that_cannot_be_reset(tmp_path):
    (summary,) = record_to(tmp_path, SMALL, AgentWithoutSeed3, seed=3, num_episodes=1, workers=0)
    assert summary.complete and [row.outcome for row in read_attempts(tmp_path)] == ["error", "success"]


def test_a_simulation_that_is_unstable_at_reset_is_an_outcome(monkeypatch):
    env = make("insertion", cameras=())
    monkeypatch.setattr(env, "reset", lambda seed: (_ for _ in ()).throw(SimulationError("unstable")))
    result = rollout(env, FakeAgent(env), 7)
    assert (result.outcome, result.reason, result.steps) == (Outcome.ERROR, "SimulationError: unstable", 0)
    assert not result.started and result.states.shape == (0, env.scene.state().size)
    assert result.qpos.shape == result.qvel.shape == (0, 14) and result.objects.shape == (0, 14)
    assert result.actions.shape == result.joint_actions.shape == (0, 14) and result.stages.shape == (0,)


MEMORY_LIMIT = 400e6  # [B]
THREE_CAMERAS = [
    *(sys.executable, "-c", "from ambidex.recorders.record_episodes import main; main()"),
    *"--task insertion --num-episodes 2 --workers 2 --video all --quiet --output-dir data".split(),
]


@pytest.mark.slow
@pytest.mark.skipif(not (PROC / "self/status").exists(), reason="peaks are read from /proc")
def test_no_worker_needs_more_than_400_mb_for_three_cameras_and_videos(tmp_path):
    with subprocess.Popen(THREE_CAMERAS, cwd=tmp_path) as process:
        memory = PeakMemory(process.pid)
        while process.poll() is None:
            memory.sample()
            time.sleep(0.05)
    assert process.returncode == 0
    assert len(list((tmp_path / "data" / "videos").glob("*.mp4"))) == 2
    peaks = memory.of_workers()
    assert 0 < peaks[0] < MEMORY_LIMIT, [f"{peak / 1e6:.0f} MB" for peak in peaks]
