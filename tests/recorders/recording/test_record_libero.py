"""Recording into LIBERO files, with an agent whose outcomes are known."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import h5py
import libero_recording
import numpy as np
import pytest
from libero_recording import CONFIG, HELD, FakeAgent, record_to
from recording_fakes import contents
from started_process import StartedProcess, wait_for, with_file_size_limit

from ambidex.envs.env import make
from ambidex.errors import DatasetError, UsageError
from ambidex.recorders.dataset.attempts import read_attempts
from ambidex.recorders.dataset.dataset import read
from ambidex.recorders.recording.config import RecordConfig
from ambidex.recorders.recording.record import dataset_directories, record, task_or_suite
from ambidex.recorders.rendering.config import RenderConfig
from ambidex.recorders.rendering.render import render
from ambidex.recorders.verification.verify import episode_files, verify

FAKE_RUN = Path(libero_recording.__file__)
TASK = "libero_goal/put_the_bowl_on_the_stove"
FILE = "put_the_bowl_on_the_stove_demo.hdf5"


class StillAgent(FakeAgent):
    def act(self, observation):
        return observation.qpos.astype(np.float32)


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """A dataset recorded by this process without interruption."""
    directory = tmp_path_factory.mktemp("straight") / "data"
    (summary,) = record_to(directory, workers=0)
    assert summary.complete and summary.task == TASK
    return directory


def test_successes_are_in_one_file_and_failures_in_others(straight):
    assert sorted(path.name for path in straight.iterdir()) == [
        "attempts.jsonl", "dataset.json", "failures", FILE
    ]  # fmt: skip
    dataset = read(straight)
    assert dataset.info.format == "libero" and dataset.info.complete and len(dataset) == 4
    assert [stored.episode.seed for stored in dataset] == [1, 4, 6, 9]
    assert sorted(path.name for path in (straight / "failures").iterdir()) == [
        f"episode_{seed}.hdf5" for seed in (0, 3, 5, 8)
    ]
    assert [row.episode for row in read_attempts(straight)] == [None, 0, None, None, 1, None, 2, None, None, 3]


def test_a_demonstration_ends_with_its_success(straight):
    assert {stored.steps for stored in read(straight)} == {HELD}
    with read(straight / "failures" / "episode_0.hdf5")[0] as failure:
        assert failure.steps == HELD + 2 and not failure.episode.success


def test_observations_and_images_are_those_before_each_action(straight):
    env = make("libero_goal/1", image_size=(24, 32))
    with read(straight)[1] as stored, h5py.File(straight / FILE) as file:
        episode, demo = stored.episode, file["data/demo_1"]
        assert np.array_equal(episode.states[0], env.reset(episode.seed).state)
        for t in (0, episode.steps - 1):
            observation = env.restore(episode.states[t])
            assert np.array_equal(demo["obs/agentview_rgb"][t], observation.image("agentview"))
            assert np.array_equal(demo["obs/eye_in_hand_rgb"][t], observation.image("robot0_eye_in_hand"))
            assert np.array_equal(demo["obs/joint_states"][t], observation.qpos[:7])
            assert np.array_equal(demo["obs/ee_pos"][t], env.scene.site_pose("robot0_grip_site").position)
            joints = env.scene.data.qpos[7:9]
            assert np.array_equal(demo["obs/gripper_states"][t], joints)
            expected = np.concatenate([[env.scene.data.time], env.scene.data.qpos, env.scene.data.qvel])
            assert np.array_equal(demo["states"][t], expected)
            assert np.array_equal(env.step(demo["actions"][t].astype("f4")).observation.state, episode.states[t + 1])
    env.close()


def test_the_file_describes_the_task(straight):
    with h5py.File(straight / FILE) as file:
        attributes, demo = dict(file["data"].attrs), file["data/demo_0"]
        assert attributes["bddl_file_name"] == f"{TASK}.bddl"
        assert attributes["bddl_file_content"].startswith("(define (problem LIBERO_Tabletop_Manipulation)")
        assert attributes["env_name"] == "Libero_Tabletop_Manipulation"
        assert json.loads(attributes["env_args"])["env_kwargs"]["control_freq"] == 20
        assert json.loads(attributes["problem_info"])["language_instruction"]
        assert attributes["instruction"] == "put the bowl on the stove"
        assert 'name="akita_black_bowl_1_main"' in demo.attrs["model_file"]
        assert demo["states"].shape[1] == 79  # as LIBERO's own initial states of this suite


def test_any_number_of_workers_gives_the_same_files(straight, tmp_path):
    record_to(tmp_path, workers=2)
    assert contents(tmp_path) == contents(straight)


def test_a_dataset_can_be_extended_and_a_missing_file_recorded_again(straight, tmp_path):
    record_to(tmp_path, num_episodes=2, workers=0)
    assert len(read(tmp_path)) == 2
    record_to(tmp_path, workers=0, resume=True)
    assert contents(tmp_path) == contents(straight)
    before = (tmp_path / FILE).stat().st_mtime_ns
    (summary,) = record_to(tmp_path, workers=0, resume=True)
    assert summary.written == 0 and (tmp_path / FILE).stat().st_mtime_ns == before
    (tmp_path / FILE).unlink()
    with pytest.raises(DatasetError) as error:
        read(tmp_path)
    assert error.value.facts["missing"] == (0, 1, 2, 3)
    record_to(tmp_path, workers=0, resume=True)
    assert contents(tmp_path) == contents(straight)


def test_what_was_recorded_reproduces_bit_for_bit(straight):
    files = episode_files(straight)
    assert len(files) == 8 and files[0] == straight / FILE / "demo_0"
    results = dict(verify(straight / FILE, workers=0))
    assert [path.name for path in results] == [f"demo_{i}" for i in range(4)]
    assert all(result.states.same and result.states.largest_difference == 0 for result in results.values())


def test_rendered_into_the_other_format_and_back(straight, tmp_path):
    act, back = tmp_path / "act", tmp_path / "back"
    render(RenderConfig(path=straight, output_dir=act, format="act", quiet=True, workers=0))
    with read(act)[2] as stored, read(straight)[2] as source:
        assert stored.path.name == "episode_2.hdf5" and np.array_equal(stored.episode.states, source.episode.states)
        assert stored.episode.joint_actions.shape[1] == 8 and stored.episode.ee_actions.shape[1] == 7
        assert np.array_equal(stored.frame("agentview", 3), source.frame("agentview", 3))
    render(RenderConfig(path=act, output_dir=back, format="libero", quiet=True, workers=0))
    with h5py.File(back / FILE) as again, h5py.File(straight / FILE) as first:
        names = [name for name in _datasets(first) if not name.startswith("mask")]
        assert names == [name for name in _datasets(again) if not name.startswith("mask")] and len(names) == 4 * 19
        assert all(np.array_equal(again[name][()], first[name][()]) for name in names)


def _datasets(file):
    names = []
    file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return names


def test_images_can_be_rendered_bottom_up_for_loaders_that_flip_them(straight, tmp_path):
    render(RenderConfig(path=straight, output_dir=tmp_path, image_convention="opengl", quiet=True, workers=0))
    with h5py.File(tmp_path / FILE) as turned, h5py.File(straight / FILE) as upright:
        key = "data/demo_0/obs/eye_in_hand_rgb"
        assert np.array_equal(turned[key][()], upright[key][()][:, ::-1])
    with read(tmp_path)[0] as a, read(straight)[0] as b:
        assert np.array_equal(a.frame("agentview", 0), b.frame("agentview", 0))


@pytest.mark.slow
def test_kill_at_any_moment_and_resume_gives_the_same_files(tmp_path):
    rng, killed, kills = random.Random(5), tmp_path / "killed", 0
    for moment in range(10):
        episodes = str(4 + 2 * moment)  # so that files are merged again and again
        rows = len(read_attempts(killed))
        with StartedProcess([sys.executable, FAKE_RUN, killed, "2", episodes], start_new_session=True) as run:
            wait_for(lambda rows=rows: len(read_attempts(killed)) > rows, run)
            time.sleep(rng.uniform(0, 1.5))
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)
                kills += 1
        if (killed / "dataset.json").exists() and not read(killed).info.complete:
            assert all(stored.episode.steps == HELD for stored in read(killed))
    assert kills >= 4
    subprocess.run([sys.executable, FAKE_RUN, killed, "2", "22"], check=True, timeout=120)
    subprocess.run([sys.executable, FAKE_RUN, tmp_path / "straight", "1", "22"], check=True, timeout=120)
    assert contents(killed) == contents(tmp_path / "straight")


def test_a_full_disk_is_reported_and_resume_completes(straight, tmp_path):
    """A limit on the size of files: one demonstration fits, the merged file does not."""
    part = max(path.stat().st_size for path in (straight / "failures").iterdir())
    assert 2 * part < (straight / FILE).stat().st_size
    limited, directory = with_file_size_limit(FAKE_RUN, 2 * part), tmp_path / "data"
    done = subprocess.run([*limited, directory, "0", "4"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and FILE in done.stderr and "could not be written" in done.stderr
    assert sorted(path.name for path in (directory / "parts").iterdir()) == [f"demo_{i}.hdf5" for i in range(4)]
    assert not (directory / FILE).exists() and len(read(directory)) == 4
    record_to(directory, workers=0, resume=True)
    assert contents(directory) == contents(straight)


def test_a_suite_has_a_folder_per_task():
    found = dataset_directories(RecordConfig(task="libero_goal"))
    assert len(found) == 10 and found[TASK] == Path("data/libero_goal/put_the_bowl_on_the_stove")
    elsewhere = dataset_directories(RecordConfig(task="libero_goal", output_dir=Path("x")))
    assert elsewhere[TASK] == Path("x/put_the_bowl_on_the_stove")
    assert dataset_directories(RecordConfig(task="libero_goal/1")) == {TASK: Path("data") / TASK}


def test_a_definition_file_is_a_task(tmp_path):
    source = Path(make("libero_goal/1", cameras=()).task.problem.source)
    own = tmp_path / "my_task.bddl"
    own.write_text(source.read_text())
    name = task_or_suite(RecordConfig(bddl_file=own))
    assert name == str(own) and dataset_directories(RecordConfig(task=name)) == {name: Path("data/my_task")}
    (summary,) = record_to(tmp_path / "data", task="", bddl_file=own, num_episodes=1, workers=0, cameras=())
    assert summary.complete and (tmp_path / "data" / "my_task_demo.hdf5").is_file()
    assert read(tmp_path / "data").spec.instruction == "my task"
    for wrong, words in (({"task": "insertion", "bddl_file": own}, "use one of them"),
                         ({"task": "", "bddl_file": own.with_suffix(".txt")}, r"\.bddl")):  # fmt: skip
        with pytest.raises(UsageError, match=words):
            task_or_suite(RecordConfig(**wrong))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"storage": "jpeg"}, "--storage jpeg"),
        ({"format": "act", "image_convention": "opengl"}, "images of the act format are upright"),
        ({"success": "liberal"}, "libero"),
        ({"task": "libero_goal/10"}, "numbered from 0 to 9"),
    ],
)
def test_impossible_flags_are_refused_before_anything_is_made(tmp_path, changes, words):
    with pytest.raises(UsageError, match=words):
        record_to(tmp_path / "data", **changes)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("file_format", ["act", "libero"])
def test_under_joint_control(tmp_path, file_format):
    config = replace(CONFIG, output_dir=tmp_path, control="joint", format=file_format, cameras=(), num_episodes=1)
    (summary,) = record(replace(config, seed=1, workers=0), agent_factory=StillAgent)
    assert summary.complete
    with read(tmp_path)[0] as stored:
        episode = stored.episode
    assert (episode.joint_actions.shape[1], episode.ee_actions.shape[1]) == (8, 0)
    ((_, result),) = verify(tmp_path, workers=0)
    assert result.states.same and result.ee_success is None
    if file_format == "libero":
        with h5py.File(tmp_path / FILE) as file:
            assert np.array_equal(file["data/demo_0/actions"], episode.joint_actions.astype(np.float64))
            arguments = json.loads(file["data"].attrs["env_args"])["env_kwargs"]
        assert arguments["controller_configs"]["type"] == "JOINT_POSITION"
        assert arguments["controller_configs"]["action_names"] == list(episode.spec.joint_names)
