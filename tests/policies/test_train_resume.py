"""It does not matter how often a training was interrupted, and nothing that was saved is lost."""

import dataclasses
import json

import pytest
import torch
from safetensors.torch import load_file
from synthetic_dataset import STATES, write_dataset
from toy_learner import ToyConfig
from training_runs import curves, interrupt, same_tensors, settings, tensors

from ambidex.errors import CheckpointError, DatasetError, TrainingError, UsageError
from ambidex.output_folder import exclusive_lock
from ambidex.policies.run_folder import resumable_step
from ambidex.policies.train import train
from ambidex.policies.train_policy import defaults, defaults_for

pytestmark = pytest.mark.usefixtures("toy", "one_thread")


@pytest.mark.parametrize("stops", [(0,), (7,), (3, 4, 5)])
def test_an_interrupted_and_resumed_run_has_the_bits_of_an_uninterrupted_one(pictures, tmp_path, stops):
    options = {"model": {"observations": "images"}, "random_shift": 2, "colour_jitter": 0.2}
    train(settings(pictures, tmp_path / "whole", **options))
    config = settings(pictures, tmp_path / "parts", **options)
    for i, stop in enumerate(stops):
        interrupt(dataclasses.replace(config, resume=i > 0), stop)
        assert sum(stops[: i + 1]) + i + 1 == resumable_step(tmp_path / "parts")
    train(dataclasses.replace(config, resume=True))
    assert same_tensors(tensors(tmp_path / "parts", 20), tensors(tmp_path / "whole", 20))
    whole, parts = curves(tmp_path / "whole"), curves(tmp_path / "parts")
    assert parts["loss/loss"][-1] == whole["loss/loss"][-1]
    assert parts["validation/loss"] == whole["validation/loss"]


def test_a_pretrained_backbone_that_does_not_learn_survives_resuming(pictures, tmp_path):
    options = {"model": {"observations": "images", "pretrained": 0.25}, "backbone_learning_rate": 0.0}
    config = settings(pictures, tmp_path / "parts", schedule="constant", **options)
    train(dataclasses.replace(config, steps=8))
    train(dataclasses.replace(config, steps=16, resume=True))
    train(dataclasses.replace(config, steps=16, output_dir=tmp_path / "whole"))
    parts, whole = tensors(tmp_path / "parts", 16), tensors(tmp_path / "whole", 16)
    assert (parts["model.safetensors"]["eye.weight"] == 0.25).all()
    assert same_tensors(parts, whole)
    told = json.loads((tmp_path / "parts" / "train.json").read_text())["first_weights"]
    assert told == "The eye starts from 0.25."


def test_resuming_a_finished_run_changes_nothing(states, tmp_path):
    config = settings(states, tmp_path / "run")
    train(config)
    before = tensors(tmp_path / "run", 20)
    train(dataclasses.replace(config, resume=True))
    assert same_tensors(tensors(tmp_path / "run", 20), before)


def test_a_constant_rate_can_be_trained_longer_with_the_same_bits(states, tmp_path):
    config = settings(states, tmp_path / "a", schedule="constant", steps=8)
    train(config)
    train(dataclasses.replace(config, steps=16, resume=True))
    train(dataclasses.replace(config, steps=16, output_dir=tmp_path / "b"))
    assert same_tensors(tensors(tmp_path / "a", 16), tensors(tmp_path / "b", 16))


def test_resuming_with_other_flags_is_refused_with_the_differences(states, tmp_path):
    config = settings(states, tmp_path / "run", steps=4)
    train(config)
    other = dataclasses.replace(
        config, resume=True, seed=1, steps=9, model=ToyConfig(hidden=8), log_every=1, data_path="streaming"
    )
    with pytest.raises(UsageError) as caught:
        train(other)
    message = str(caught.value)
    for part in ("--seed was 0, now 1", "--steps was 4, now 9", "--hidden was 16, now 8"):
        assert part in message
    assert "log-every" not in message
    assert "data-path" not in message


def test_resuming_with_other_data_is_refused(states, tmp_path):
    config = settings(states, tmp_path / "run", steps=4)
    train(config)
    more = write_dataset(tmp_path / "more", lengths=(7, 5, 9, 6, 4), **STATES)
    with pytest.raises(UsageError, match=r"data was .*'episodes': 4.*, now .*'episodes': 5"):
        train(dataclasses.replace(config, data=(more,), resume=True))


def test_a_run_is_not_overwritten_and_not_made_up(states, tmp_path):
    config = settings(states, tmp_path / "run", steps=4)
    with pytest.raises(UsageError, match="there is no run in"):
        train(dataclasses.replace(config, resume=True))
    assert not (tmp_path / "run").exists()
    train(config)
    with pytest.raises(UsageError, match=r"come to step 4.*--resume --output-dir"):
        train(config)


def test_two_trainings_do_not_share_a_folder(states, tmp_path):
    with exclusive_lock(tmp_path / "run"), pytest.raises(DatasetError, match="Another process is writing"):
        train(settings(states, tmp_path / "run"))


def test_resume_takes_the_flags_of_the_run(states, tmp_path):
    run = tmp_path / "run"
    config = settings(states, run, steps=4, seed=5, model={"hidden": 24})
    train(config)
    found = defaults_for(["--resume", "--output-dir", str(run)])
    assert found == dataclasses.replace(config, quiet=False)


@pytest.mark.parametrize("step", [1, 11, 20])
def test_a_loss_that_is_no_number_stops_training_and_loses_nothing(states, tmp_path, step):
    run = tmp_path / "run"
    train(settings(states, tmp_path / "fine"))
    kept = step > 8
    words = r"The last good checkpoint is .*checkpoints/\d+\." if kept else "None is saved yet"
    with pytest.raises(TrainingError, match=f"not finite in step {step}\\. {words}"):
        train(settings(states, run, model={"nan_at": step}))
    saved = sorted(int(path.name) for path in (run / "checkpoints").glob("[0-9]*"))
    assert saved == [8, 16][: (step - 1) // 8]
    for number in saved:
        fine = load_file(tmp_path / "fine" / "checkpoints" / str(number) / "model.safetensors")
        mine = load_file(run / "checkpoints" / str(number) / "model.safetensors")
        assert all(torch.equal(fine[name], mine[name]) for name in fine)


def test_old_checkpoints_go(states, tmp_path):
    train(settings(states, tmp_path / "run", save_every=3, keep_checkpoints=2))
    assert sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir()) == ["18", "20", "last"]


def test_a_damaged_training_state_is_refused(states, tmp_path):
    config = settings(states, tmp_path / "run", steps=4)
    train(config)
    file = tmp_path / "run" / "checkpoints" / "4" / "training_state" / "training_state.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"training_state\.safetensors cannot be read"):
        train(dataclasses.replace(config, resume=True))


@pytest.mark.parametrize(("observations", "precision"), [("state", "fp32"), ("images", "bf16")])
def test_act_goes_on_exactly_where_it_was_interrupted(pictures, tmp_path, observations, precision):
    config = defaults("act", "tiny", observations)
    model = dataclasses.replace(config.model, chunk_size=6, d_model=16, feedforward=16, backbone_width=8)
    rest = {"data": (pictures,), "device": "cpu", "precision": precision, "quiet": True, "model": model}
    config = dataclasses.replace(config, steps=6, batch_size=3, save_every=9, **rest)
    train(dataclasses.replace(config, output_dir=tmp_path / "whole"))
    config = dataclasses.replace(config, output_dir=tmp_path / "parts")
    interrupt(config, 2)
    train(dataclasses.replace(config, resume=True))
    assert same_tensors(tensors(tmp_path / "parts", 6), tensors(tmp_path / "whole", 6))
