"""A checkpoint alone is enough to run a policy, and what does not fit is refused."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import torch
from synthetic_episode import make_spec
from toy_learner import ToyConfig, ToyLearner

import ambidex.policies
from ambidex.errors import CheckpointError, DatasetError, UsageError
from ambidex.policies.batch import ObservationBatch
from ambidex.policies.checkpoint import load, save
from ambidex.policies.normalization import FieldStatistics, Statistics
from ambidex.policies.run_folder import newest_run, prune, remove_leftovers, resumable_step

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


def test_a_loaded_policy_acts_like_the_saved_one(tmp_path):
    policy, config = make_policy(hidden=9)
    path = save(tmp_path, policy, config, [statistics()], 7)
    assert path == tmp_path / "checkpoints" / "7"
    loaded = ambidex.policies.load(path)
    assert isinstance(loaded, ToyLearner)
    assert not loaded.training
    assert (loaded.config, loaded.spec) == (config, SPEC)
    assert torch.equal(loaded.predict(observation()), policy.eval().predict(observation()))


def test_the_run_and_last_and_a_step_can_be_named(run):
    step = {name: load_step(run / name) for name in ("", "checkpoints", "checkpoints/last", "checkpoints/5")}
    assert step == {"": 12, "checkpoints": 12, "checkpoints/last": 12, "checkpoints/5": 5}


def load_step(path):
    load(path)
    from ambidex.policies.run_folder import find_checkpoint

    return int(find_checkpoint(path).name)


def test_given_weights_are_saved_in_place_of_the_policys_own(tmp_path):
    policy, config = make_policy()
    mine = torch.full_like(policy.head.bias, 3.0)
    loaded = load(save(tmp_path, policy, config, [statistics()], 1, weights={"head.bias": mine}))
    assert torch.equal(loaded.head.bias, mine)
    assert torch.equal(loaded.head.weight, policy.head.weight)


def test_there_is_no_pickle(run):
    names = {path.suffix for path in run.rglob("*") if path.is_file()}
    assert names == {".json", ".safetensors"}


@pytest.mark.parametrize("when", ["more", "sync"])
def test_a_checkpoint_that_fails_leaves_nothing_and_keeps_the_old(run, monkeypatch, when):
    policy, config = make_policy()

    def full(*_):
        raise OSError(28, "No space left on device")

    if when == "sync":
        monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DatasetError, match="the disk is full"):
        save(run, policy, config, [statistics()], 20, write_more=full if when == "more" else None)
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == ["12", "5", "last"]
    assert load_step(run) == 12


def test_what_is_no_checkpoint_is_said(tmp_path, run):
    with pytest.raises(UsageError, match=r"is no checkpoint: it has no config.json"):
        load(tmp_path / "nothing")
    shutil.rmtree(run / "checkpoints" / "12")
    with pytest.raises(CheckpointError, match=r"points to 12, which is no checkpoint. There are the steps 5"):
        load(run)


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        ("config.json", {"format_version": 9}, "format_version 9"),
        ("config.json", {"config": {"hidden": 16}}, "missing field `chunk_size`"),
        ("env_spec.json", {"weather": "fine"}, "unknown field `weather`"),
    ],
)
def test_a_foreign_checkpoint_is_refused(run, file, change, words):
    path = run / "checkpoints" / "12" / file
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(CheckpointError, match=words):
        load(run)


def test_loading_is_strict(run):
    path = run / "checkpoints" / "12" / "config.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "config": {**values["config"], "hidden": 8}}))
    with pytest.raises(CheckpointError, match=r"own config.json, 7 tensors differ: size mismatch .* and 4 more"):
        load(run)


def test_damaged_files_are_named(run):
    model = run / "checkpoints" / "12" / "model.safetensors"
    model.write_bytes(model.read_bytes()[:50])
    with pytest.raises(CheckpointError, match=r"model\.safetensors cannot be read"):
        load(run)
    (run / "checkpoints" / "12" / "env_spec.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"env_spec\.json cannot be read"):
        load(run)


def test_the_newest_run_of_a_policy_is_found_by_its_last_checkpoint(tmp_path):
    policy, config = make_policy()
    for name, when in (("old", 1000), ("new", 3000), ("middle", 2000)):
        save(tmp_path / name, policy, config, [statistics()], 1)
        os.utime(tmp_path / name / "checkpoints" / "1" / "config.json", (when, when))
    (tmp_path / "something").mkdir()
    assert newest_run("toy", tmp_path) == tmp_path / "new"
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UsageError, match=r"no trained act under .*`train-policy --policy act --data"):
            newest_run("act", root)


def test_pruning_keeps_the_newest_and_the_state_of_the_last(run):
    for step in (5, 12):
        (run / "checkpoints" / str(step) / "training_state").mkdir()
    assert resumable_step(run) == 12
    prune(run, 0, 12)
    assert not (run / "checkpoints" / "5" / "training_state").exists()
    assert (run / "checkpoints" / "12" / "training_state").exists()
    prune(run, 1, 12)
    assert not (run / "checkpoints" / "5").exists()


def test_leftovers_of_killed_processes_go(run):
    (run / "checkpoints" / ".20.tmp-123" / "training_state").mkdir(parents=True)
    (run / "checkpoints" / ".last.tmp-9").symlink_to("77")
    remove_leftovers(run)
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == ["12", "5", "last"]


def test_looking_at_runs_and_flags_needs_no_torch():
    code = (
        "import sys, ambidex.policies, ambidex.policies.run_folder, ambidex.policies.compatibility;"
        "import ambidex.policies.train_policy, ambidex.policies.train_policy;"
        "print(sorted({'torch', 'mujoco', 'tensorboard'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
