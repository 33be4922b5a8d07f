"""LIBERO files: what is written is read, by us and as LIBERO and robomimic do; merging; damage."""

import json
import shutil

import h5py
import numpy as np
import pytest
from sequence_dataset import SequenceReader
from synthetic_episode import make_frames, make_spec, same
from synthetic_libero import (
    JOINTS,
    NQ,
    NV,
    TASK,
    libero_episode,
    libero_spec,
    make_proprioception,
    write_libero,
)

from ambidex.envs.types import Outcome, TakenOver
from ambidex.errors import DatasetError, UnknownNameError, UsageError
from ambidex.recorders.dataset.dataset import read
from ambidex.recorders.dataset.layout import WriteOptions
from ambidex.recorders.formats.act import write_episode
from ambidex.recorders.formats.libero.format import LiberoFormat
from ambidex.recorders.formats.libero.proprioception import axis_angle
from ambidex.recorders.formats.libero.reader import DemoFile, LiberoDemo
from ambidex.recorders.formats.registry import open_episode, read_episode

STORAGES = ("lossless", "raw")
FORMAT = LiberoFormat()


@pytest.fixture(params=STORAGES)
def storage(request):
    return request.param


@pytest.fixture
def path(tmp_path):
    return tmp_path / "demo_0.hdf5"


def fill(directory, lengths, first=0):
    """Write demonstrations of these lengths; returns the episodes."""
    return [
        write_libero(FORMAT.episode_path(directory, first + i), steps=steps, seed=first + i)
        for i, steps in enumerate(lengths)
    ]


@pytest.fixture(scope="module")
def merged(tmp_path_factory):
    """A file of twelve demonstrations."""
    directory = tmp_path_factory.mktemp("merged")
    fill(directory, range(3, 15))
    FORMAT.finish(directory, TASK)
    (file,) = directory.iterdir()
    assert file.name == "put_the_bowl_on_the_plate_demo.hdf5"
    return file


def test_what_is_written_is_read(path, storage):
    episode = write_libero(path, storage)
    assert same(read_episode(path), episode)


def test_the_same_episode_gives_the_same_bytes(path, storage):
    write_libero(path, storage)
    write_libero(path.with_name("again.hdf5"), storage)
    assert path.read_bytes() == path.with_name("again.hdf5").read_bytes()


@pytest.mark.parametrize("convention", ["upright", "opengl"])
def test_frames_are_read_upright_whatever_the_convention(path, storage, convention):
    episode = write_libero(path, storage, convention=convention)
    frames = make_frames(episode)
    with open_episode(path) as demo:
        assert (demo.storage, demo.cameras, demo.steps) == (storage, ("agentview", "robot0_eye_in_hand"), 6)
        for camera, t in [("agentview", 5), ("robot0_eye_in_hand", 0)]:
            assert np.array_equal(demo.frame(camera, t), frames[camera][t])
        assert sum(1 for _ in demo.frames("agentview")) == 6
    with h5py.File(path) as file:
        assert file["data"].attrs["image_convention"] == convention
        assert file["data"].attrs["macros_image_convention"] == {"upright": "opencv", "opengl": "opengl"}[convention]
        stored = file["data/demo_0/obs/agentview_rgb"][2]
    expected = frames["agentview"][2]
    assert np.array_equal(stored, expected if convention == "upright" else expected[::-1])


def test_names_shapes_and_types_are_those_of_liberos_files(merged):
    with h5py.File(merged) as file:
        data = file["data"]
        episode = read_episode(merged / "demo_4")
        steps, demo = episode.steps, data["demo_4"]
        arrays = {
            "actions": ((steps, 7), np.float64),
            "states": ((steps, 1 + NQ + NV), np.float64),
            "robot_states": ((steps, 9), np.float64),
            "rewards": ((steps,), np.uint8),
            "dones": ((steps,), np.uint8),
            "obs/agentview_rgb": ((steps, 24, 32, 3), np.uint8),
            "obs/eye_in_hand_rgb": ((steps, 24, 32, 3), np.uint8),
            "obs/ee_states": ((steps, 6), np.float64),
            "obs/ee_pos": ((steps, 3), np.float64),
            "obs/ee_ori": ((steps, 3), np.float64),
            "obs/gripper_states": ((steps, 2), np.float64),
            "obs/joint_states": ((steps, 7), np.float64),
        }
        assert {name: (demo[name].shape, demo[name].dtype) for name in arrays} == arrays
        assert set(demo) == {"actions", "states", "robot_states", "rewards", "dones", "obs", "ambidex"}
        assert {f"obs/{name}" for name in demo["obs"]} == {name for name in arrays if name.startswith("obs/")}
        assert {
            "bddl_file_name", "bddl_file_content", "env_args", "env_name", "macros_image_convention", "num_demos",
            "problem_info", "tag", "total", "image_convention", "instruction",
        } == set(data.attrs)  # fmt: skip
        assert {"num_samples", "model_file", "init_state"} == set(demo.attrs)
        assert (data.attrs["num_demos"], data.attrs["total"], data.attrs["tag"]) == (12, sum(range(3, 15)), "libero-v1")
        assert set(json.loads(data.attrs["env_args"])) >= {"type", "env_name", "env_kwargs"}
        assert json.loads(data.attrs["env_args"])["type"] == 1
        assert demo.attrs["num_samples"] == steps and demo.attrs["model_file"].startswith("<mujoco>")
        assert np.array_equal(demo.attrs["init_state"], demo["states"][0])


def test_the_values_are_those_that_libero_stores(path):
    episode, robot = write_libero(path), make_proprioception()
    with h5py.File(path) as file:
        demo = {name: file["data/demo_0"][name][()] for name in ("actions", "states", "robot_states", "dones")}
        obs = {name: values[()] for name, values in file["data/demo_0/obs"].items()}
    assert np.array_equal(demo["actions"], episode.ee_actions)
    assert np.array_equal(demo["states"], episode.states[:-1, : 1 + NQ + NV])
    assert np.array_equal(demo["robot_states"], np.hstack([robot.gripper_states, robot.ee_pos, robot.ee_quat]))
    assert np.array_equal(obs["ee_states"], np.hstack([robot.ee_pos, robot.ee_ori]))
    assert np.array_equal(obs["joint_states"], robot.joint_states)
    assert demo["dones"].tolist() == [0, 0, 0, 0, 0, 1]


def test_a_failure_is_never_done(path):
    write_libero(path, outcome=Outcome.FAILURE)
    with h5py.File(path) as file:
        assert not file["data/demo_0/dones"][()].any() and not file["data/demo_0/rewards"][()].any()


@pytest.mark.parametrize(
    ("xyzw", "expected"),
    [
        ((0, 0, 0, 1), (0, 0, 0)),
        ((0, 0, 1, 0), (0, 0, np.pi)),
        ((np.sin(0.3), 0, 0, np.cos(0.3)), (0.6, 0, 0)),
        ((-np.sin(0.3), 0, 0, -np.cos(0.3)), (-(2 * np.pi - 0.6), 0, 0)),
    ],
)
def test_orientations_are_axis_times_angle(xyzw, expected):
    np.testing.assert_allclose(axis_angle(np.array(xyzw, float)), expected, atol=1e-12)


def test_a_reader_like_robomimics_sequence_dataset_can_read_it(merged):
    reader = SequenceReader(merged, ["agentview_rgb", "eye_in_hand_rgb", "ee_states", "gripper_states"], seq_length=4)
    assert reader.demos == [f"demo_{i}" for i in range(12)] and len(reader) == sum(range(3, 15))
    episode, frames = read_episode(merged / "demo_2"), make_frames(read_episode(merged / "demo_2"))
    sample = reader[3 + 4 + 1]  # the second of demo_2, which has 5
    assert np.array_equal(sample["actions"], episode.ee_actions[1:5])
    assert np.array_equal(sample["obs"]["agentview_rgb"], frames["agentview"][1:5])
    end = reader[3 + 4 + 4]
    assert np.array_equal(end["actions"], np.repeat(episode.ee_actions[4:], 4, axis=0))


def test_the_masks_keep_all_take_overs_of_a_failure_together(tmp_path):
    failure = {"results": "results/act", "policy": "act", "policy_sha256": ""}
    for index in range(24):  # two of each of twelve failures
        taken_over = TakenOver(step=index % 2, initial_state_sha256=str(index // 2), **failure)
        write_libero(FORMAT.episode_path(tmp_path, index), steps=3, seed=index, taken_over=taken_over)
    FORMAT.finish(tmp_path, TASK)
    (path,) = tmp_path.iterdir()
    with h5py.File(path) as file:
        assert [name.decode() for name in file["mask/valid"][()]] == ["demo_18", "demo_19"]
        assert len(file["mask/train"]) == 22
    with open_episode(path / "demo_19") as stored:
        assert stored.episode.taken_over == TakenOver(step=1, initial_state_sha256="9", **failure)


def test_masks_split_the_demonstrations(merged):
    train, valid = (SequenceReader(merged, ["ee_pos"], filter_key=key).demos for key in ("train", "valid"))
    assert valid == ["demo_9"] and set(train) | set(valid) == {f"demo_{i}" for i in range(12)}
    assert len(train) == 11


def test_every_demonstration_comes_back_from_the_merged_file(merged):
    file = read(merged)
    assert isinstance(file, DemoFile) and len(file) == 12
    for i, demo in enumerate(file):
        assert same(demo.episode, libero_episode(steps=3 + i, seed=i)) and demo.path == merged / f"demo_{i}"
    with read(merged / "demo_11") as demo:
        assert isinstance(demo, LiberoDemo) and demo.episode.seed == 11
        assert np.array_equal(demo.frame("agentview", 3), make_frames(demo.episode)["agentview"][3])


def test_a_file_that_grows_has_the_bytes_of_one_that_was_written_at_once(merged, tmp_path):
    for first, lengths in ((0, (3,)), (1, (4, 5, 6)), (4, range(7, 15))):
        fill(tmp_path, lengths, first)
        FORMAT.finish(tmp_path, TASK)
    (file,) = tmp_path.iterdir()
    assert file.read_bytes() == merged.read_bytes()
    before = file.stat().st_mtime_ns
    FORMAT.finish(tmp_path, TASK)
    assert file.stat().st_mtime_ns == before


def test_a_kill_before_the_parts_are_removed_changes_nothing(merged, tmp_path):
    fill(tmp_path, range(3, 15))
    FORMAT.finish(tmp_path, TASK)
    fill(tmp_path, (5, 6), first=2)  # these parts were not removed yet
    assert list(FORMAT.find(tmp_path)) == list(range(12))
    assert FORMAT.find(tmp_path)[2].name == "demo_2"
    FORMAT.finish(tmp_path, TASK)
    (file,) = tmp_path.iterdir()
    assert file.read_bytes() == merged.read_bytes()


def test_demonstrations_are_found_merged_or_not(tmp_path):
    fill(tmp_path, (3, 4, 5))
    FORMAT.finish(tmp_path, TASK)
    fill(tmp_path, (6,), first=7)
    found = FORMAT.find(tmp_path)
    assert list(found) == [0, 1, 2, 7]
    assert [read_episode(path).steps for path in found.values()] == [3, 4, 5, 6]


def test_two_files_in_a_folder_are_refused(merged, tmp_path):
    for name in ("a_demo.hdf5", "b_demo.hdf5"):
        shutil.copy(merged, tmp_path / name)
    with pytest.raises(DatasetError) as error:
        FORMAT.find(tmp_path)
    assert error.value.facts["got"] == (tmp_path / "a_demo.hdf5", tmp_path / "b_demo.hdf5")


@pytest.mark.parametrize(
    ("where", "words"), [("model_file", "structure of the file"), ("actions", "actions"), ("agentview", "frame 3")]
)
def test_damage_is_named(merged, tmp_path, where, words):
    path = tmp_path / "x_demo.hdf5"
    content = bytearray(merged.read_bytes())
    with h5py.File(merged) as file:
        demo = file["data/demo_5"]
        places = {
            "actions": demo["actions"].id.get_offset(),
            "agentview": demo["obs/agentview_rgb"].id.get_chunk_info(3).byte_offset + 20,
            "model_file": content.index(b"x" * 1000),
        }
    content[places[where] : places[where] + 8] = b"\x01\x02\x03\x04\x05\x06\x07\x08"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=words) as error, open_episode(path / "demo_5") as demo:
        demo.frame("agentview", 3)
        assert demo.episode
    assert str(path) in str(error.value)
    if where != "model_file":
        assert read_episode(path / "demo_4").steps == 7  # the others can be read


def test_several_demonstrations_need_a_name(merged):
    with pytest.raises(UsageError, match=r"12 demonstrations.*demo_0"):
        open_episode(merged)
    with pytest.raises(DatasetError, match="demo_99"):
        open_episode(merged / "demo_99")


@pytest.mark.parametrize(
    ("spec", "options", "words"),
    [
        (libero_spec(), {"storage": "jpeg"}, "--storage jpeg"),
        (libero_spec(), {"storage": "lossles"}, "Did you mean 'lossless'"),
        (libero_spec(), {"image_convention": "upsidedown"}, "Known: opengl, upright"),
        (make_spec(), {}, "aloha"),
    ],
)
def test_impossible_options_are_refused(spec, options, words):
    with pytest.raises(UsageError, match=words):
        FORMAT.check(spec, WriteOptions(**{"format": "libero", "storage": "lossless", **options}))


def test_the_actions_of_joint_control_are_joint_commands(path, storage):
    spec = libero_spec(control="joint", action_names=JOINTS)
    episode = write_libero(path, storage, spec=spec, ee_actions=np.zeros((6, 0), np.float32))
    assert same(read_episode(path), episode)
    with h5py.File(path) as file:
        assert np.array_equal(file["data/demo_0/actions"], episode.joint_actions)


def test_unknown_cameras(path):
    write_libero(path)
    with open_episode(path) as demo, pytest.raises(UnknownNameError, match="Did you mean 'agentview'"):
        demo.frame("agentvie", 0)


def test_the_act_format_can_hold_episodes_of_this_family_too(tmp_path):
    for control, width in (("ee", 7), ("joint", 0)):
        episode = libero_episode(spec=libero_spec(control=control), ee_actions=np.zeros((6, width), np.float32))
        write_episode(tmp_path / f"{control}.hdf5", episode, make_frames(episode), "lossless")
        assert same(read_episode(tmp_path / f"{control}.hdf5"), episode)
