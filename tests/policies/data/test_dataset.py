import shutil
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from synthetic_dataset import STATES, read_table, write_dataset, write_twins
from synthetic_episode import make_frames, make_spec
from synthetic_libero import JOINTS as PANDA
from synthetic_libero import TASK, libero_episode, libero_spec, write_dataset_info, write_libero, write_panda_dataset

from ambidex.envs.registry import with_control
from ambidex.envs.types import TakenOver
from ambidex.errors import DatasetError, UnknownNameError, UsageError
from ambidex.policies.data.dataset import read_tables, remarks
from ambidex.policies.data.frames import FrameReader, load_frames
from ambidex.recorders.dataset.dataset import Dataset
from ambidex.recorders.formats.act import episode_path, write_episode
from ambidex.recorders.formats.libero.format import LiberoFormat
from ambidex.recorders.formats.registry import read_episode

LENGTHS = (7, 5, 9, 6)
LIBERO_LENGTHS = (5, 3, 7)


def test_a_table_holds_the_successful_episodes_row_by_row(tmp_path):
    write_dataset(tmp_path / "data", lengths=LENGTHS, failed=(1,), **STATES)
    table = read_table([tmp_path / "data"])
    assert [(entry.seed, entry.steps) for entry in table.entries] == [(0, 7), (2, 9), (3, 6)]
    assert table.starts.tolist() == [0, 7, 16]
    third = Dataset(tmp_path / "data")[3].episode
    assert np.array_equal(table.actions[16:], third.joint_actions)
    assert np.array_equal(table.qpos[table.rows([2])], third.qpos)
    assert np.array_equal(table.objects[16:], third.objects)


def test_a_table_knows_the_last_row_of_each_rows_episode(states):
    assert read_table([states]).last_rows.tolist() == [6] * 7 + [11] * 5 + [20] * 9 + [26] * 6


def test_with_ee_control_the_actions_are_those_of_the_end_effectors(tmp_path):
    names = tuple(f"ee_{i}" for i in range(16))
    write_dataset(tmp_path / "data", control="ee", action_names=names, **STATES)
    table = read_table([tmp_path / "data"])
    assert np.array_equal(table.actions[:7], Dataset(tmp_path / "data")[0].episode.ee_actions)


@pytest.mark.parametrize(("recorded", "trained", "width"), [("joint", "ee", 16), ("ee", "joint", 14)])
def test_the_actions_of_the_other_control_mode_can_be_chosen(tmp_path, recorded, trained, width):
    spec = with_control(make_spec(**STATES), recorded)
    write_dataset(tmp_path / "data", control=recorded, action_names=spec.action_names, **STATES)
    (table,) = read_tables([tmp_path / "data"], multi_embodiment=False, control=trained)
    episode = Dataset(tmp_path / "data")[0].episode
    assert np.array_equal(table.actions[:7], episode.ee_actions if trained == "ee" else episode.joint_actions)
    assert table.spec == with_control(spec, trained)
    assert len(table.spec.action_names) == table.actions.shape[1] == width


def test_recordings_under_both_control_modes_need_a_choice(tmp_path):
    folders = [tmp_path / "joint", tmp_path / "ee"]
    for first_seed, folder in enumerate(folders):
        spec = with_control(make_spec(), folder.name)
        write_dataset(folder, control=folder.name, action_names=spec.action_names, first_seed=10 * first_seed, **STATES)
    with pytest.raises(UsageError, match="--control"):
        read_table(folders)
    for several in (True, False):
        (table,) = read_tables(folders, multi_embodiment=several, control="ee")
        assert len(table.entries) == 8 and {spec.control for spec in table.specs.values()} == {"ee"}


def test_joint_commands_of_libero_have_no_end_effector_actions(tmp_path):
    write_panda_dataset(tmp_path / "ee")
    (table,) = read_tables([tmp_path / "ee"], multi_embodiment=False, control="joint")
    assert (table.spec.control, table.spec.action_names, table.actions.shape[1]) == ("joint", PANDA, 8)
    write_panda_dataset(tmp_path / "joint", control="joint", action_names=PANDA)
    with pytest.raises(UsageError) as caught:
        read_tables([tmp_path / "joint"], multi_embodiment=False, control="ee")
    assert (caught.value.facts["got"], caught.value.facts["expected"]) == ("joint", "ee")
    with pytest.raises(UnknownNameError, match="Did you mean 'joint'"):
        read_tables([tmp_path / "ee"], multi_embodiment=False, control="joints")


def test_datasets_of_several_tasks_are_merged(tmp_path):
    write_dataset(tmp_path / "a", lengths=(4,), cameras=("top", "left_wrist"))
    write_dataset(tmp_path / "b", lengths=(5,), cameras=("left_wrist",), task="transfer_cube", instruction="hand over")
    table = read_table([tmp_path / "a", tmp_path / "b"])
    assert len(table) == 9
    assert table.spec.cameras == ("left_wrist",)
    assert table.spec.task == "insertion+transfer_cube"
    assert [entry.instruction for entry in table.entries] == ["insert the peg into the socket", "hand over"]
    assert table.objects.shape == (9, 14)


@pytest.mark.parametrize(
    "change", [{"control_hz": 20.0}, {"robot": "panda"}, {"image_size": (12, 16)}, {"family": "libero"}]
)
def test_datasets_that_do_not_fit_together_are_refused_with_the_differences(tmp_path, change):
    write_dataset(tmp_path / "a", lengths=(4,))
    write_dataset(tmp_path / "b", lengths=(4,), **change)
    (name, value), spec = next(iter(change.items())), make_spec()
    with pytest.raises(UsageError) as caught:
        read_table([tmp_path / "a", tmp_path / "b"])
    assert caught.value.facts["got"] == {tmp_path / "b": [f"{name}: {value!r} != {getattr(spec, name)!r}"]}


def test_of_another_robot_only_the_names_of_further_differences_are_listed(tmp_path):
    write_dataset(tmp_path / "a", lengths=(4,))
    write_dataset(tmp_path / "b", lengths=(4,), robot="panda", control_hz=20.0)
    with pytest.raises(UsageError, match="--policy uniact") as caught:
        read_table([tmp_path / "a", tmp_path / "b"])
    assert caught.value.facts["got"] == {tmp_path / "b": ["robot: 'panda' != 'viperx_bimanual' (and control_hz)"]}


def test_of_two_lists_of_names_the_first_difference_is_listed(tmp_path):
    names = tuple(f"joint_{number}" for number in range(14))
    write_dataset(tmp_path / "a", lengths=(4,))
    write_dataset(tmp_path / "b", lengths=(4,), joint_names=names)
    with pytest.raises(UsageError) as caught:
        read_table([tmp_path / "a", tmp_path / "b"])
    assert caught.value.facts["got"] == {tmp_path / "b": ["joint_names: joint_0 != left_0"]}


def test_episodes_of_benchmark_seeds_are_refused(tmp_path):
    write_dataset(tmp_path / "last", lengths=(4,), first_seed=99_999, **STATES)
    assert len(read_table([tmp_path / "last"])) == 4
    write_dataset(tmp_path / "next", lengths=(4, 4), first_seed=99_999, **STATES)
    with pytest.raises(DatasetError) as caught:
        read_table([tmp_path / "next"])
    assert caught.value.facts["seed"] == 100_000 and caught.value.facts["path"].name == "episode_1.hdf5"


def test_an_unknown_control_mode_is_refused(tmp_path):
    write_dataset(tmp_path / "data", lengths=(4,), control="torque", **STATES)
    with pytest.raises(UnknownNameError, match="control mode 'torque'"):
        read_table([tmp_path / "data"])


def test_folders_that_are_no_datasets_are_refused(tmp_path):
    write_dataset(tmp_path / "failed", lengths=(4, 4), failed=(0, 1), **STATES)
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "nowhere", tmp_path / "empty", tmp_path / "failed" / "dataset.json"):
        with pytest.raises(UsageError) as caught:
            read_table([path])
        assert caught.value.facts["path"] == path
    with pytest.raises(DatasetError, match="no successful episode: 2 files"):
        read_table([tmp_path / "failed"])
    with pytest.raises(UsageError, match="twice"):
        read_table([tmp_path / "failed", tmp_path / "x" / ".." / "failed"])
    with pytest.raises(UsageError, match="No dataset"):
        read_table([])


def test_the_folder_of_a_suite_is_refused_with_the_folders_in_it(tmp_path):
    suite = tmp_path / "suite"
    for seed, name in enumerate(("a", "b")):
        write_dataset(suite / name, lengths=(4,), first_seed=seed, **STATES)
    with pytest.raises(UsageError) as caught:
        read_table([suite])
    assert caught.value.facts["expected"] == [suite / "a", suite / "b"] and f"--data {suite}/*," in caught.value.hint
    (suite / "notes.txt").touch()
    with pytest.raises(UsageError) as caught:
        read_table([suite])
    assert f"--data {suite / 'a'} {suite / 'b'}," in caught.value.hint
    assert len(read_table([suite / "a", suite / "b"]).entries) == 2


@pytest.fixture(scope="module", params=["joined", "in parts", "bottom up"])
def libero(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("libero")
    convention = "opengl" if request.param == "bottom up" else "upright"
    for index, steps in enumerate(LIBERO_LENGTHS):
        path = LiberoFormat().episode_path(folder, index)
        write_libero(path, steps=steps, seed=index, convention=convention)
    if request.param != "in parts":
        LiberoFormat().finish(folder, TASK)
    write_dataset_info(folder, libero_spec(), count=len(LIBERO_LENGTHS), format_name="libero")
    return folder


@pytest.fixture(scope="module")
def act(tmp_path_factory):
    folder = tmp_path_factory.mktemp("act")
    for index, steps in enumerate(LIBERO_LENGTHS):
        episode = libero_episode(steps=steps, seed=index)
        write_episode(episode_path(folder, index), episode, make_frames(episode), "lossless")
    write_dataset_info(folder, libero_spec(), count=len(LIBERO_LENGTHS), format_name="act")
    return folder


def test_a_libero_dataset_gives_the_table_of_an_act_dataset(libero, act):
    one, other = read_table([libero]), read_table([act])
    assert one.spec == other.spec and one.actions.shape == (sum(LIBERO_LENGTHS), 7)
    for field in ("qpos", "objects", "actions"):
        assert np.array_equal(getattr(one, field), getattr(other, field))
    assert [entry.steps for entry in one.entries] == list(LIBERO_LENGTHS)
    assert {entry.instruction for entry in one.entries} == {"put the bowl on the plate"}


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_libero_dataset_gives_the_frames_of_an_act_dataset(libero, act, workers):
    rows = [np.array([0, 9, 5]), np.array([14, 2])]
    cameras = ("agentview", "robot0_eye_in_hand")
    first, second = (
        list(load_frames(FrameReader(read_table([folder]), cameras), rows, workers)) for folder in (libero, act)
    )
    for a, b in zip(first, second, strict=True):
        assert all(np.array_equal(a[camera], b[camera]) for camera in cameras)


@pytest.mark.parametrize("second", [STATES, {"cameras": ("top",)}], ids=["recorded again", "rendered"])
def test_the_same_episodes_in_two_datasets_are_refused(tmp_path, second):
    a, b = write_dataset(tmp_path / "a", **STATES), write_dataset(tmp_path / "b", **second)
    with pytest.raises(DatasetError) as caught:
        read_table([a, b])
    assert caught.value.facts["got"] == tuple((episode_path(a, i), episode_path(b, i)) for i in range(4))
    half = [episode_path(a, 0), episode_path(a, 1), episode_path(b, 2), episode_path(b, 3)]
    assert [entry.seed for entry in read_table([a, b], exclude=half).entries] == [2, 3, 0, 1]


def test_a_copy_of_an_episode_under_another_number_is_refused(tmp_path):
    a = write_dataset(tmp_path / "a", **STATES)
    shutil.copy(episode_path(a, 1), episode_path(a, 4))
    with pytest.raises(DatasetError) as caught:
        read_table([a])
    assert caught.value.facts["got"] == ((episode_path(a, 1), episode_path(a, 4)),)


def test_excluded_episodes_are_not_read(tmp_path):
    write_dataset(tmp_path / "a", **STATES)
    episode_path(tmp_path / "a", 1).write_bytes(b"damaged")
    table = read_table([tmp_path / "a"], exclude=[tmp_path / "x" / ".." / "a" / "episode_1.hdf5"])
    assert [entry.seed for entry in table.entries] == [0, 2, 3]
    with pytest.raises(UsageError) as caught:
        read_table([tmp_path / "a"], exclude=[tmp_path / "a" / "episode_9.hdf5"])
    assert caught.value.facts["got"] == [tmp_path / "a" / "episode_9.hdf5"]


def test_unfinished_datasets_and_shared_initial_states_are_mentioned(tmp_path):
    write_dataset(tmp_path / "a", **STATES)
    assert remarks(read_table([tmp_path / "a"])) == []
    replace(Dataset(tmp_path / "a").info, complete=False).write(tmp_path / "a")
    write_twins(tmp_path / "b")
    table = read_table([tmp_path / "a", tmp_path / "b"])
    unfinished, shared = remarks(table)
    assert str(tmp_path / "a") in unfinished and shared.startswith("6 episodes of 10 share their initial state")


def test_take_overs_of_one_failure_share_its_initial_state_with_its_demonstration(tmp_path):
    demonstrations = write_dataset(tmp_path / "a", **STATES)
    first = read_episode(episode_path(demonstrations, 0))
    failure = {"results": "results/act", "policy": "act", "policy_sha256": "cd" * 32}
    initial_state = sha256(first.states[0].tobytes()).hexdigest()
    folder = write_dataset(tmp_path / "b", lengths=(4, 11), first_seed=50, **STATES)
    for index in range(2):
        path = episode_path(folder, index)
        taken_over = TakenOver(step=25 * index, initial_state_sha256=initial_state, **failure)
        write_episode(path, replace(read_episode(path), taken_over=taken_over), {}, "lossless")
    table = read_table([demonstrations, folder])
    assert [entry.steps for entry in table.entries] == [*LENGTHS, 4, 11]
    groups = [entry.initial_state for entry in table.entries]
    assert groups[0] == groups[4] == groups[5] and len(set(groups)) == 4
