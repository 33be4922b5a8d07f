import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ambidex.envs.errors import DatasetError, RenderingError, UnknownNameError, UsageError
from ambidex.envs.opengl import choose_backend
from ambidex.envs.registry import TASKS
from ambidex.recorders.dataset import episode_path, read, read_attempts
from ambidex.recorders.directory_lock import claimed
from ambidex.recorders.record import record
from ambidex.recorders.record_config import RecordConfig

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from ambidex.recorders.record_episodes import main; main()"]
ONE_WITHOUT_IMAGES = "--task insertion --num-episodes 1 --cameras none --output-dir data".split()
RUN = {"capture_output": True, "text": True, "timeout": 120}
HORIZON = 12  # just more than the hold time of success
SMALL = RecordConfig(task="insertion", num_episodes=4, image_size=(24, 32), cameras=("top",), quiet=True)
STATES = replace(SMALL, cameras=())


@pytest.fixture(autouse=True)
def _workers_find_this_module(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)


class FakeAgent:
    """Moves somewhere; which seeds succeed, fail and break is known: two of five succeed."""

    def __init__(self, env):
        env.spec = replace(env.spec, horizon=HORIZON)
        env.scene.task.checks = lambda scene: {"lucky": self._lucky}

    def reset(self, observation, seed):
        self._lucky = seed % 5 in (1, 4)
        self._breaks = seed % 5 == 2
        self._goal = observation.qpos + np.random.default_rng(seed).normal(0, 0.1, observation.qpos.shape)

    def act(self, observation):
        if self._breaks:
            raise RuntimeError("the gripper fell off")
        return self._goal.astype(np.float32)


class BrokenAgent:
    def __init__(self, env):
        pass

    def reset(self, observation, seed):
        raise RuntimeError(f"no plan for {seed}")


class FailingAgent(FakeAgent):
    def reset(self, observation, seed):
        super().reset(observation, seed)
        self._lucky = self._breaks = False


class DyingAgent(FakeAgent):
    """Takes its worker process with it, once per dataset."""

    marker: Path

    def reset(self, observation, seed):
        super().reset(observation, seed)
        marker = Path(os.environ["DYING_AGENT_MARKER"])
        if seed == 3 and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)


def record_to(directory, config=SMALL, agent=FakeAgent, **changes):
    return record(replace(config, output_dir=directory, **changes), agent)


def contents(directory):
    """File name -> its bytes, without what is allowed to differ from run to run."""
    files = {str(p.relative_to(directory)): p.read_bytes() for p in directory.rglob("*") if p.is_file()}
    info = json.loads(files.pop("dataset.json"))
    rows = [json.loads(line) for line in files.pop("attempts.jsonl").splitlines()]
    return {**files, "info": info | {"timings": None}, "rows": [row | {"wall_s": None} for row in rows]}


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """A dataset recorded by one worker in one go."""
    directory = tmp_path_factory.mktemp("straight") / "data"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT)
        (summary,) = record_to(directory, workers=1, keep_failures=True, video="all")
    assert summary.complete and summary.written == 4 + 4
    return directory


def again(directory, **changes):
    return record_to(directory, keep_failures=True, video="all", **changes)


def test_successes_are_numbered_in_the_order_of_their_seeds(straight):
    rows = read_attempts(straight)
    assert [row.seed for row in rows] == list(range(10))
    assert {row.seed: row.episode for row in rows if row.episode is not None} == {1: 0, 4: 1, 6: 2, 9: 3}
    assert [row.outcome for row in rows[:3]] == ["failure", "success", "error"]
    assert rows[2].reason == "RuntimeError: the gripper fell off"
    with read(episode_path(straight, 2)) as file:
        assert file.episode.seed == 6 and file.episode.success and file.cameras == ("top",)


def test_the_dataset_says_what_it_holds(straight):
    info = read(straight).info
    assert (info.attempts, info.successes, info.failures, info.errors, info.episodes) == (10, 4, 4, 2, 4)
    assert info.complete
    assert "--num-episodes 4" in info.command and "--workers" not in info.command and str(straight) not in info.command


def test_failures_are_kept_apart_and_broken_attempts_are_not(straight):
    assert sorted(path.name for path in (straight / "failures").iterdir()) == [
        f"episode_{seed}.hdf5" for seed in (0, 3, 5, 8)
    ]
    assert len(list(straight.glob("episode_*.hdf5"))) == 4
    assert len(list((straight / "videos").glob("episode_*_success.mp4"))) == 4
    assert len(list((straight / "videos").glob("seed_*_failure.mp4"))) == 4


def test_images_are_those_of_the_observation_before_each_action(straight):
    from ambidex.envs.env import make

    env = make("insertion", cameras=("top",), image_size=(24, 32))
    with read(episode_path(straight, 0)) as file:
        for t in (0, file.steps - 1):
            np.testing.assert_array_equal(file.frame("top", t), env.render(file.episode.states[t], "top"))
        np.testing.assert_array_equal(file.episode.states[0], env.reset(file.episode.seed).state)
    env.close()


@pytest.mark.parametrize("workers", [0, 2, 5])
def test_any_number_of_workers_gives_the_same_files(straight, tmp_path, workers):
    again(tmp_path, workers=workers)
    assert contents(tmp_path) == contents(straight)


def test_a_complete_dataset_is_left_alone_by_resume(straight):
    before = {path: path.stat().st_mtime_ns for path in straight.rglob("*")}
    (summary,) = again(straight, workers=1, resume=True)
    assert summary.complete and summary.written == 0
    assert {path: path.stat().st_mtime_ns for path in straight.rglob("*")} == before


def test_a_dataset_can_be_extended(straight, tmp_path):
    again(tmp_path, num_episodes=2, workers=2)
    again(tmp_path, num_episodes=4, workers=2, resume=True)
    assert contents(tmp_path) == contents(straight)


def test_a_lost_file_is_recorded_again(straight, tmp_path):
    again(tmp_path, workers=1)
    episode_path(tmp_path, 1).unlink()
    (tmp_path / "failures" / "episode_5.hdf5").unlink()
    (tmp_path / "videos" / "episode_3_success.mp4").unlink()
    (summary,) = again(tmp_path, workers=1, resume=True)
    assert summary.written == 3
    assert contents(tmp_path) == contents(straight)


@pytest.mark.parametrize("kept", [0, 3, 9])
def test_resume_after_a_torn_row_gives_the_same_files(straight, tmp_path, kept):
    """Whatever was on disk when a run was killed, in the order it gets there."""
    again(tmp_path, workers=1)
    lines = (tmp_path / "attempts.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "attempts.jsonl").write_text("".join(lines[:kept]) + lines[kept][:20])
    for row in map(json.loads, lines[kept:]):
        if row["episode"] is not None:
            episode_path(tmp_path, row["episode"]).unlink()
    (tmp_path / ".episode_7.hdf5.tmp-123").write_text("half")
    (tmp_path / "videos" / ".episode_7_success.mp4.tmp-123").write_text("half")
    again(tmp_path, workers=2, resume=True)
    assert contents(tmp_path) == contents(straight)


def test_resume_of_nothing_begins(straight, tmp_path):
    again(tmp_path / "new", workers=1, resume=True)
    assert contents(tmp_path / "new") == contents(straight)


def test_a_worker_that_dies_is_replaced_and_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("DYING_AGENT_MARKER", str(tmp_path / "marker"))
    record_to(tmp_path / "died", STATES, DyingAgent, workers=2)
    assert (tmp_path / "marker").exists()
    record_to(tmp_path / "lived", STATES, DyingAgent, workers=2)
    assert contents(tmp_path / "died") == contents(tmp_path / "lived")


def test_video_of_the_first_episode_without_stored_images(tmp_path):
    record_to(tmp_path, STATES, num_episodes=2, video="first", workers=1)
    assert [path.name for path in (tmp_path / "videos").iterdir()] == ["episode_0_success.mp4"]
    with read(episode_path(tmp_path, 0)) as file:
        assert file.cameras == ()


def test_a_suite_makes_one_dataset_per_task(tmp_path):
    summaries = record_to(tmp_path, STATES, task="aloha", num_episodes=1, workers=1)
    assert [summary.directory for summary in summaries] == [tmp_path / "transfer_cube", tmp_path / "insertion"]
    record_to(tmp_path / "alone", STATES, task="insertion", num_episodes=1, workers=1)
    assert contents(tmp_path / "alone") == contents(tmp_path / "insertion")


def test_running_out_of_attempts_is_no_success_and_keeps_what_there_is(tmp_path):
    (summary,) = record_to(tmp_path, STATES, max_attempts=8, workers=2)
    assert not summary.complete and (summary.kept, summary.attempts) == (3, 8)
    assert "3 of 4 episodes" in summary.shortfall("cmd") and "95 % interval" in summary.shortfall("cmd")
    info = read(tmp_path).info
    assert not info.complete and info.episodes == 3
    (summary,) = record_to(tmp_path, STATES, max_attempts=28, workers=2, resume=True)
    assert summary.complete and read(tmp_path).info.complete
    record_to(tmp_path / "straight", STATES, workers=1)
    assert contents(tmp_path / "straight")["rows"] == contents(tmp_path)["rows"]


def test_only_failures_is_no_error(tmp_path):
    (summary,) = record_to(tmp_path, STATES, FailingAgent, max_attempts=6, workers=1)
    assert (summary.kept, summary.attempts) == (0, 6)


def test_attempts_that_all_break_end_the_run(tmp_path):
    with pytest.raises(DatasetError, match="no plan for 4"):
        record_to(tmp_path, STATES, BrokenAgent, workers=2)
    assert [row.outcome for row in read_attempts(tmp_path)] == ["error"] * 5


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UsageError, match=r"thesis\.tex.*--output-dir"):
        record_to(tmp_path)
    with pytest.raises(UsageError, match=r"no dataset.*thesis\.tex"):
        record_to(tmp_path, resume=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_dataset_is_not_overwritten(straight):
    with pytest.raises(UsageError, match="--resume"):
        again(straight)


def test_resume_with_other_flags_lists_every_difference(straight):
    with pytest.raises(UsageError) as error:
        again(straight, resume=True, seed=3, storage="jpeg", num_episodes=2)
    message = str(error.value)
    assert "--seed was 0, now 3" in message and "--storage was lossless, now jpeg" in message
    assert "--num-episodes was 4, now 2" in message


def test_changed_rows_are_noticed(straight, tmp_path):
    again(tmp_path, workers=1)
    lines = (tmp_path / "attempts.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "attempts.jsonl").write_text("".join(lines[1:]))
    with pytest.raises(DatasetError, match=r"attempts\.jsonl, row 1: seed 1.*expected seed 0"):
        again(tmp_path, resume=True)


def test_two_runs_cannot_write_into_one_folder(tmp_path):
    with claimed(tmp_path), pytest.raises(DatasetError, match="Another run"):
        record_to(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"task": ""}, "--list"),
        ({"task": "insertoin"}, "Did you mean 'insertion'"),
        ({"cameras": ("tob",)}, "Did you mean 'top'"),
        ({"control": "joints"}, "Did you mean 'joint'"),
        ({"storage": "lossles"}, "Did you mean 'lossless'"),
        ({"video": "al"}, "Did you mean 'all'"),
        ({"format": "acd"}, "Did you mean 'act'"),
        ({"spread": "wider"}, "Did you mean 'wide'"),
        ({"render_quality": "studios"}, "Did you mean 'studio'"),
        ({"num_episodes": 0}, "--num-episodes 0"),
        ({"num_episodes": -3}, "--num-episodes -3"),
        ({"image_size": (-1, 32)}, "-1 x 32"),
        ({"noise": -0.1}, "--noise -0.1"),
        ({"noise": float("nan")}, "--noise nan"),
        ({"workers": -1}, "--workers -1"),
        ({"max_attempts": 3}, "fewer than --num-episodes 4"),
        ({"seed": -1}, "negative"),
        ({"seed": 99_990}, "99999"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_made(tmp_path, changes, words):
    with pytest.raises(UsageError, match=words):
        record_to(tmp_path / "data", **changes)
    assert not (tmp_path / "data").exists()


def test_a_task_without_an_expert_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("ambidex.recorders.record.EXPERTS", {})
    with pytest.raises(UnknownNameError, match="expert"):
        record_to(tmp_path, agent=None)


def test_the_last_training_seed_can_be_recorded(tmp_path):
    (summary,) = record_to(tmp_path, STATES, num_episodes=1, seed=99_999, max_attempts=1, workers=1)
    assert summary.complete


def test_without_opengl_nothing_is_begun(tmp_path, monkeypatch):
    monkeypatch.setattr("ambidex.envs.opengl.LIBRARIES", {"egl": "libNoEGL.so", "osmesa": "libNoMesa.so"})
    with pytest.raises(RenderingError, match=r"egl \(libNoEGL.*apt-get install"):
        record_to(tmp_path / "data")
    assert not (tmp_path / "data").exists()
    (summary,) = record_to(tmp_path / "data", STATES, num_episodes=1, workers=1)
    assert summary.complete


def test_opengl_that_gives_no_context_is_said_before_any_rollout(tmp_path, monkeypatch):
    if choose_backend() != "egl":
        pytest.skip("needs EGL")
    monkeypatch.setenv("EGL_PLATFORM", "wayland")
    monkeypatch.setenv("MUJOCO_EGL_DEVICE_ID", "99")
    with pytest.raises(Exception, match="Rendering needs OpenGL"):
        record_to(tmp_path / "data", workers=1)
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_made_is_said_before_any_rollout(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="could not be written"):
        record_to(tmp_path / "file" / "data", agent=BrokenAgent)
    with pytest.raises(DatasetError, match="could not be written"):
        record_to(Path("/proc/ambidex"), agent=BrokenAgent)


def test_quiet_is_silent(tmp_path):
    done = subprocess.run([*COMMAND, *ONE_WITHOUT_IMAGES, "--quiet"], **RUN, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_summary_is_one_line_on_stdout(tmp_path):
    done = subprocess.run([*COMMAND, *ONE_WITHOUT_IMAGES], **RUN, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("insertion: 1 episodes kept, success 1/1 = 100.0 % (95 % interval")
    assert done.stdout.count("\n") == 1 and "MB in data" in done.stdout


def test_the_list_names_every_task(tmp_path):
    done = subprocess.run([*COMMAND, "--list"], **RUN, cwd=tmp_path)
    assert done.returncode == 0 and all(task in done.stdout for task in TASKS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--task", "insertoin"], "Did you mean 'insertion'"),
        (["--task", "insertion", "--num-episodes", "0"], "--num-episodes 0"),
        (["--task", "insertion", "--storag", "raw"], "--storage"),
        ([], "--list"),
    ],
)
def test_wrong_usage_leaves_with_2(tmp_path, flags, words):
    done = subprocess.run([*COMMAND, *flags], **RUN, cwd=tmp_path)
    assert done.returncode == 2 and words in done.stderr and done.stdout == ""


def test_ctrl_c_leaves_no_half_files_and_says_how_to_resume(tmp_path):
    flags = "--task insertion --num-episodes 3 --output-dir data --cameras none".split()
    with subprocess.Popen(
        [*COMMAND, *flags], stderr=subprocess.PIPE, text=True, cwd=tmp_path, start_new_session=True
    ) as run:
        wait_for(episode_path(tmp_path / "data", 0).exists, run)
        os.killpg(run.pid, signal.SIGINT)  # a terminal sends it to the workers too
        _, said = run.communicate(timeout=60)
    assert run.returncode == 130
    assert said.startswith("record-episodes: Interrupted. insertion: ") and said.count("\n") == 1
    resume = said.partition("Go on with: ")[2].split()
    assert resume == ["record-episodes", *flags, "--resume"]
    assert all(not path.name.startswith(".") for path in (tmp_path / "data").rglob("*"))
    done = subprocess.run([*COMMAND, *resume[1:]], **RUN, cwd=tmp_path)
    assert done.returncode == 0 and len(read(tmp_path / "data")) == 3


FAKE_RUN = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from dataclasses import replace
from ambidex.recorders.record import record
from tests.recorders.test_record import FakeAgent, SMALL
if __name__ == "__main__":
    directory, workers, episodes = sys.argv[1:]
    config = replace(SMALL, output_dir=Path(directory), workers=int(workers), num_episodes=int(episodes))
    record(replace(config, keep_failures=True, resume=True), FakeAgent)
"""


@pytest.fixture
def fake_run(tmp_path):
    """Command to record, or go on recording, with the fake agent: folder, workers and episodes follow."""
    script = tmp_path / "fake_run.py"
    script.write_text(FAKE_RUN.format(root=str(ROOT)))
    return [sys.executable, str(script)]


@pytest.mark.parametrize(
    ("moments", "episodes"), [(4, "10"), pytest.param(20, "40", marks=pytest.mark.slow, id="20 moments")]
)
def test_kill_at_any_moment_and_resume_gives_the_same_files(tmp_path, fake_run, moments, episodes):
    rng = random.Random(moments)
    killed = tmp_path / "killed"
    for moment in range(moments):
        rows = len(read_attempts(killed))
        with subprocess.Popen([*fake_run, killed, "2", episodes], start_new_session=True) as run:
            if moment % 4 == 0:  # while it starts
                wait_for((killed / ".lock").exists, run)
                time.sleep(rng.uniform(0, 1.0))
            else:  # while it works
                wait_for(lambda rows=rows: len(read_attempts(killed)) > rows, run)
                time.sleep(rng.uniform(0, 0.4))
            os.killpg(run.pid, signal.SIGKILL)
        for path in killed.rglob("episode_*.hdf5"):
            with read(path) as file:
                assert file.steps == HORIZON
    subprocess.run([*fake_run, killed, "2", episodes], check=True, timeout=120)
    subprocess.run([*fake_run, tmp_path / "straight", "1", episodes], check=True, timeout=120)
    assert contents(killed) == contents(tmp_path / "straight")


LIMITED = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000)); "


def test_a_full_disk_is_said_and_resume_completes(tmp_path, fake_run):
    """A limit on the size of files stands for the full disk: writing fails in the middle of an episode."""
    directory = tmp_path / "data"
    limited = [sys.executable, "-c", f"{LIMITED} sys.argv.pop(0); runpy.run_path(sys.argv[0], run_name='__main__')"]
    done = subprocess.run([*limited, *fake_run[1:], directory, "0", "3"], **RUN)
    assert done.returncode == 1 and "episode_0.hdf5" in done.stderr and "could not be written" in done.stderr
    assert sorted(path.name for path in directory.iterdir()) == ["attempts.jsonl", "dataset.json", "failures"]
    subprocess.run([*fake_run, directory, "2", "3"], check=True, timeout=120)
    assert read(directory).info.complete


def wait_for(condition, run):
    deadline = time.monotonic() + 60
    while not condition() and run.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
