"""A run that cannot go on says what to do, and that works."""

import dataclasses
import shlex
import shutil

import pytest
from training_runs import interrupt, same_tensors, settings, tensors

from ambidex.errors import CheckpointError, UsageError
from ambidex.policies.run_folder import resumable_step, saved_steps
from ambidex.policies.train import train
from ambidex.policies.training import checks as run_advice

pytestmark = pytest.mark.usefixtures("toy", "one_thread")


def damaged(states, run, step):
    config = settings(states, run)
    train(config)
    file = run / "checkpoints" / str(step) / "training_state" / "training_state.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    return dataclasses.replace(config, resume=True)


def test_deleting_a_damaged_checkpoint_lets_the_training_begin_again(states, tmp_path):
    run = tmp_path / "run"
    config = damaged(states, run, 20)
    before = tensors(run, 16)
    with pytest.raises(CheckpointError) as caught:
        train(config)
    folder = run / "checkpoints" / "20"
    assert f"Delete the folder {folder} and give the same command: the training then begins again" in str(caught.value)
    assert "--finetune" not in str(caught.value)  # the toy cannot
    shutil.rmtree(folder)
    train(config)
    assert saved_steps(run) == [8, 16, 20] and resumable_step(run) == 20
    assert same_tensors(before, tensors(run, 16))


def test_a_training_that_began_again_is_resumed_below_the_checkpoints_that_it_found(states, tmp_path):
    run = tmp_path / "run"
    config = damaged(states, run, 20)
    before = tensors(run, 16)
    shutil.rmtree(run / "checkpoints" / "20")
    interrupt(dataclasses.replace(config, keep_checkpoints=2), 5)
    assert saved_steps(run) == [6, 8, 16] and resumable_step(run) == 6
    train(config)
    assert saved_steps(run) == [6, 8, 16, 20] and resumable_step(run) == 20
    assert same_tensors(before, tensors(run, 16))


@pytest.mark.parametrize("step", [4, 20])
def test_a_cosine_run_that_is_to_be_longer_is_told_the_way(states, tmp_path, step):
    run = tmp_path / "run"
    config = settings(states, run, steps=20)
    if step < 20:
        interrupt(config, step)
    else:
        train(config)
    with pytest.raises(UsageError) as caught:
        train(dataclasses.replace(config, resume=True, steps=30))
    said = str(caught.value)
    assert "--steps was 20, now 30" in said
    assert "ends at step 20, so this run does not go on beyond it. Train 30 steps in another --output-dir." in said
    assert ("Leave out the flags that differ" in said) is (step < 20)  # there is a way to go still


def test_a_policy_that_can_begin_with_a_checkpoint_gets_the_command(states, tmp_path, monkeypatch):
    monkeypatch.setattr(run_advice, "_begins_with_checkpoints", lambda policy: True)
    run = tmp_path / "run"
    config = damaged(states, run, 20)
    with pytest.raises(CheckpointError, match=f"of another --output-dir: --finetune {run}/checkpoints/20"):
        train(config)
    with pytest.raises(UsageError) as caught:
        train(dataclasses.replace(config, steps=30))
    words = shlex.split(str(caught.value).split("`")[1])
    assert words[:5] == ["train-policy", "--policy", "toy", "--preset", "base"]
    assert words[5:] == f"--finetune {run} --data {states} --steps 10 --output-dir {run}-longer".split()


@pytest.mark.parametrize(("policy", "can"), [("uniact", True), ("act", False), ("toy", False)])
def test_who_can_begin_with_a_checkpoint(policy, can):
    assert run_advice._begins_with_checkpoints(policy) is can
