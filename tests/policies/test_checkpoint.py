"""Checkpoints and run folders."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from synthetic_episode import make_spec
from toy_learner import ToyConfig, ToyLearner

import ambidex.policies
from ambidex.atomic_files import remove_leftovers
from ambidex.errors import CheckpointError, DatasetError, UsageError
from ambidex.policies import checkpoint
from ambidex.policies.act.config import preset as act_preset
from ambidex.policies.act.policy import ActPolicy
from ambidex.policies.batch import ObservationBatch
from ambidex.policies.checkpoint import load, read_tensors, save, write_tensors
from ambidex.policies.normalization import FieldStatistics, Statistics
from ambidex.policies.run_folder import (
    default_run,
    find_checkpoint,
    newest_run,
    prune,
    resumable_step,
)

pytestmark = pytest.mark.usefixtures("toy")
SPEC = make_spec()


def statistics():
    rows = torch.randn(20, 14, generator=torch.Generator().manual_seed(0)).numpy()
    field = FieldStatistics.of(rows)
    return Statistics(qpos=field, objects=field, actions=field)


def make_policy(**changes):
    config = ToyConfig(observations="images", **changes)
    return ToyLearner(config, SPEC, statistics()), config


def observation(count=3):
    torch.manual_seed(1)
    return ObservationBatch(
        qpos=torch.randn(count, 14),
        objects=torch.randn(count, 14),
        images={camera: torch.randint(0, 256, (count, 3, 24, 32), dtype=torch.uint8) for camera in SPEC.cameras},
        instructions=("",) * count,
    )


@pytest.fixture
def run(tmp_path):
    policy, config = make_policy()
    save(tmp_path / "run", policy, config, [statistics()], 5)
    save(tmp_path / "run", policy, config, [statistics()], 12)
    return tmp_path / "run"


def step_of(path):
    load(path)
    return int(find_checkpoint(path).name)


def test_a_loaded_policy_predicts_what_the_saved_one_does(tmp_path):
    policy, config = make_policy(hidden=9)
    path = save(tmp_path, policy, config, [statistics()], 7)
    assert path == tmp_path / "checkpoints" / "7"
    loaded = ambidex.policies.load(path)
    assert isinstance(loaded, ToyLearner)
    assert not loaded.training
    assert (loaded.config, loaded.spec) == (config, SPEC)
    assert torch.equal(loaded.predict(observation()), policy.eval().predict(observation()))


def test_a_run_its_last_checkpoint_and_any_step_can_be_loaded(run):
    steps = {name: step_of(run / name) for name in ("", "checkpoints", "checkpoints/last", "checkpoints/5")}
    assert steps == {"": 12, "checkpoints": 12, "checkpoints/last": 12, "checkpoints/5": 5}


def test_given_weights_replace_the_policys_own(tmp_path):
    policy, config = make_policy()
    bias = torch.full_like(policy.head.bias, 3.0)
    loaded = load(save(tmp_path, policy, config, [statistics()], 1, weights={"head.bias": bias}))
    assert torch.equal(loaded.head.bias, bias)
    assert torch.equal(loaded.head.weight, policy.head.weight)


def test_a_checkpoint_has_no_pickle(run):
    names = {path.suffix for path in run.rglob("*") if path.is_file()}
    assert names == {".json", ".safetensors"}


@pytest.mark.parametrize("when", ["more", "sync"])
def test_if_saving_fails_the_old_checkpoint_stays_and_nothing_else(run, monkeypatch, when):
    policy, config = make_policy()

    def full(*_):
        raise OSError(28, "No space left on device")

    if when == "sync":
        monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DatasetError, match="the disk is full"):
        save(run, policy, config, [statistics()], 20, write_more=full if when == "more" else None)
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == ["12", "5", "last"]
    assert step_of(run) == 12


def test_a_folder_without_a_checkpoint_is_refused(tmp_path, run):
    with pytest.raises(UsageError) as caught:
        load(tmp_path / "nothing")
    assert caught.value.facts["path"] == tmp_path / "nothing"
    shutil.rmtree(run / "checkpoints" / "12")
    with pytest.raises(CheckpointError) as caught:
        load(run)
    assert caught.value.facts == {"path": run / "checkpoints" / "last", "expected": [5]}


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        ("config.json", {"format_version": 9}, "format_version 9"),
        ("config.json", {"config": {"hidden": 16}}, "chunk_size: missing field"),
        ("env_spec.json", {"weather": "fine"}, "weather: unknown field"),
    ],
)
def test_files_of_another_version_are_refused(run, file, change, words):
    path = run / "checkpoints" / "12" / file
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(CheckpointError, match=words) as caught:
        load(run)
    assert caught.value.facts["path"] == path


def test_loading_is_strict(run):
    path = run / "checkpoints" / "12" / "config.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "config": {**values["config"], "hidden": 8}}))
    with pytest.raises(CheckpointError, match="size mismatch") as caught:
        load(run)
    assert len(caught.value.facts["got"]) == 7


@pytest.mark.parametrize("name", ["model.safetensors", "env_spec.json", "config.json"])
def test_damaged_files_are_named(run, name):
    path = run / "checkpoints" / "12" / name
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(CheckpointError, match="cannot be read") as caught:
        load(run)
    assert caught.value.facts["path"] == path


def test_the_newest_run_of_a_policy_is_found_by_its_last_checkpoint(tmp_path):
    policy, config = make_policy()
    for name, when in (("old", 1000), ("new", 3000), ("middle", 2000)):
        save(tmp_path / name, policy, config, [statistics()], 1)
        os.utime(tmp_path / name / "checkpoints" / "1" / "config.json", (when, when))
    (tmp_path / "something").mkdir()
    assert newest_run("toy", (), tmp_path) == tmp_path / "new"
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UsageError, match="`train-policy --policy act ") as caught:
            newest_run("act", (), root)
        assert caught.value.facts["path"] == root


def test_the_newest_run_is_one_that_was_trained_on_the_tasks(tmp_path):
    policy, config = make_policy()
    for name, task, when in (("a", "insertion", 1), ("b", "insertion+transfer_cube", 2), ("c", "transfer_cube", 3)):
        policy.spec = replace(SPEC, task=task)
        save(tmp_path / name, policy, config, [statistics()], 1)
        os.utime(tmp_path / name / "checkpoints" / "1" / "config.json", (when, when))
    for tasks, name in ((["insertion"], "b"), (["transfer_cube"], "c"), (["transfer_cube", "insertion"], "b")):
        assert newest_run("toy", tasks, tmp_path) == tmp_path / name
    with pytest.raises(UsageError, match="`train-policy --policy toy ") as caught:
        newest_run("toy", ["libero_goal/1"], tmp_path)
    assert caught.value.facts["expected"] == ("libero_goal/1",) and str(tmp_path / "c") in str(caught.value)


def test_the_name_of_a_run_stays_short_with_many_datasets():
    few = [Path("data/libero_goal") / name for name in "abc"]
    assert default_run("act", few) == Path("runs/act-a+b+c")
    many = [Path("data/libero_goal") / (40 * letter) for letter in "abcdefghij"]
    assert default_run("act", many) == Path("runs/act-libero_goal-10")


def test_pruning_keeps_the_newest_checkpoints_and_the_training_state_of_the_last(run):
    for step in (5, 12):
        (run / "checkpoints" / str(step) / "training_state").mkdir()
    assert resumable_step(run) == 12
    prune(run, 0, 12)
    assert not (run / "checkpoints" / "5" / "training_state").exists()
    assert (run / "checkpoints" / "12" / "training_state").exists()
    prune(run, 1, 12)
    assert not (run / "checkpoints" / "5").exists()


def test_unfinished_files_of_killed_processes_are_removed(run):
    (run / "checkpoints" / ".20.tmp-123" / "training_state").mkdir(parents=True)
    (run / "checkpoints" / ".last.tmp-9").symlink_to("77")
    remove_leftovers(run / "checkpoints")
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == ["12", "5", "last"]


def test_run_folders_and_flags_need_no_torch():
    code = (
        "import sys, ambidex.policies, ambidex.policies.run_folder, ambidex.policies.compatibility;"
        "import ambidex.policies.train_policy, ambidex.policies.training.run_info;"
        "print(sorted({'torch', 'mujoco', 'tensorboard'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_load_and_train_are_functions_of_the_package_in_whichever_order_modules_are_imported():
    code = (
        "import ambidex.policies.training.trainer, ambidex.policies as policies;"
        "from ambidex.policies.training.train import train; from ambidex.policies.checkpoint import load;"
        "assert policies.train is train and policies.load is load"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def change_config(run, **changes):
    path = run / "checkpoints" / "12" / "config.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "config": {**values["config"], **changes}}))


def test_sizes_are_compared_before_anything_is_built(run):
    change_config(run, hidden=4_000_000, chunk_size=100_000)  # 22 TB
    with pytest.raises(CheckpointError, match="size mismatch"):
        load(run)


@pytest.mark.parametrize("hidden", [-1, 10**18])
def test_impossible_sizes_are_refused_with_the_file(run, hidden):
    change_config(run, hidden=hidden)
    with pytest.raises(CheckpointError) as caught:
        load(run)
    assert caught.value.facts["path"].name == "config.json"


def test_a_policy_of_more_layers_than_tensors_is_not_built(tmp_path):
    config = act_preset("tiny", "state").config
    policy = ActPolicy(config, make_spec(cameras=()), statistics())
    save(tmp_path, policy, config, [statistics()], 12)
    assert isinstance(load(tmp_path), ActPolicy)
    change_config(tmp_path, encoder_layers=1_000_000)
    with pytest.raises(CheckpointError, match="more than the") as caught:
        load(tmp_path)
    assert caught.value.facts["path"].name == "config.json"


@pytest.mark.parametrize("change", [lambda tensor: tensor * torch.nan, lambda tensor: tensor.half()])
def test_weights_that_are_nan_or_of_another_type_are_refused_by_name(run, change):
    path = run / "checkpoints" / "12" / "model.safetensors"
    tensors = read_tensors(path)
    write_tensors(path, {**tensors, "head.bias": change(tensors["head.bias"])})
    with pytest.raises(CheckpointError, match=r"head\.bias") as caught:
        load(run)
    assert len(caught.value.facts["got"]) == 1


def test_a_fifo_is_no_file_of_weights(run):
    path = run / "checkpoints" / "12" / "model.safetensors"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(CheckpointError, match="no regular file"):
        load(run)


def test_an_unknown_family_is_refused_with_the_file(run):
    path = run / "checkpoints" / "12" / "env_spec.json"
    path.write_text(path.read_text().replace('"aloha"', '"x"'))
    with pytest.raises(CheckpointError, match="unknown family") as caught:
        load(run)
    assert caught.value.facts["path"] == path


def test_a_full_disk_at_the_first_checkpoint_speaks_of_no_earlier_one(tmp_path, run, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    policy, config = make_policy()
    with pytest.raises(CheckpointError, match="there is no checkpoint yet"):
        save(tmp_path / "new", policy, config, [statistics()], 5)
    with pytest.raises(CheckpointError, match="last complete checkpoint"):
        save(run, policy, config, [statistics()], 20)
