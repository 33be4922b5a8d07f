"""Interrupted and resumed runs: the same bits, nothing saved is lost, and hints for runs that cannot be resumed."""

import dataclasses
import json
import shlex
import shutil
import signal

import pytest
import torch
from safetensors.torch import load_file, save_file
from synthetic_dataset import STATES, write_dataset
from toy_learner import ToyConfig, ToyLearner
from training_runs import curves, interrupt, same_tensors, settings, tensors

from ambidex.errors import CheckpointError, DatasetError, TrainingError, UsageError
from ambidex.output_folder import exclusive_lock
from ambidex.policies.checkpoint import load
from ambidex.policies.run_folder import resumable_step, saved_steps
from ambidex.policies.train_policy import defaults_for, train_config
from ambidex.policies.training import train as train_module
from ambidex.policies.training.train import train

pytestmark = pytest.mark.usefixtures("toy", "one_thread")


def resumed(config, **changes):
    return dataclasses.replace(config, resume=True, **changes)


def cut(file):
    file.write_bytes(file.read_bytes()[:-100])


def damage(run, step):
    """Cut off the end of the training state of a step; returns the file."""
    file = run / "checkpoints" / str(step) / "training_state" / "training_state.safetensors"
    cut(file)
    return file


@pytest.mark.parametrize(("stops", "history"), [((0,), 1), ((7,), 1), ((3, 4, 5), 1), ((7,), 3)])
def test_an_interrupted_and_resumed_run_has_the_bits_of_an_uninterrupted_one(images, tmp_path, stops, history):
    options = {
        "model": {"observations": "images", "history": history, "stride": history},
        "random_shift": 2,
        "colour_jitter": 0.2,
    }
    train(settings(images, tmp_path / "whole", **options))
    config = settings(images, tmp_path / "parts", **options)
    for i, stop in enumerate(stops):
        interrupt(dataclasses.replace(config, resume=i > 0), stop)
        assert sum(stops[: i + 1]) + i + 1 == resumable_step(tmp_path / "parts")
    train(resumed(config))
    assert same_tensors(tensors(tmp_path / "parts", 20), tensors(tmp_path / "whole", 20))
    whole, parts = curves(tmp_path / "whole"), curves(tmp_path / "parts")
    assert parts["loss/loss"][-1] == whole["loss/loss"][-1]
    assert parts["validation/loss"] == whole["validation/loss"]


@pytest.mark.parametrize(("observations", "precision"), [("state", "fp32"), ("images", "bf16")])
def test_act_resumes_with_the_same_bits(images, tmp_path, observations, precision):
    config = train_config("act", "tiny", observations)
    model = dataclasses.replace(config.model, chunk_size=6, d_model=16, feedforward=16, backbone_width=8)
    options = {"data": (images,), "device": "cpu", "precision": precision, "quiet": True, "model": model}
    config = dataclasses.replace(config, steps=6, batch_size=3, save_every=9, **options)
    train(dataclasses.replace(config, output_dir=tmp_path / "whole"))
    config = dataclasses.replace(config, output_dir=tmp_path / "parts")
    interrupt(config, 2)
    train(resumed(config))
    assert same_tensors(tensors(tmp_path / "parts", 6), tensors(tmp_path / "whole", 6))


@pytest.mark.parametrize("earlier_version", [False, True])
def test_a_frozen_pretrained_backbone_is_stored_once_and_restored_when_resuming(images, tmp_path, earlier_version):
    options = {"model": {"observations": "images", "pretrained": 0.25}, "backbone_learning_rate": 0.0}
    config = settings(images, tmp_path / "parts", schedule="constant", **options)
    train(dataclasses.replace(config, steps=8))
    file = tmp_path / "parts" / "checkpoints" / "8" / "training_state" / "training_state.safetensors"
    state, frozen = load_file(file), load_file(file.parents[1] / "model.safetensors")["eye.weight"]
    assert "parameter/eye.weight" not in state and "parameter/head.weight" in state
    if earlier_version:
        save_file({**state, "parameter/eye.weight": frozen}, file)
    train(resumed(config, steps=16))
    train(dataclasses.replace(config, steps=16, output_dir=tmp_path / "whole"))
    parts, whole = tensors(tmp_path / "parts", 16), tensors(tmp_path / "whole", 16)
    assert (parts["model.safetensors"]["eye.weight"] == 0.25).all()
    assert same_tensors(parts, whole)
    source = json.loads((tmp_path / "parts" / "train.json").read_text())["first_weights"]
    assert source == "The eye starts from 0.25."


@pytest.mark.parametrize("steps", [4, 20])
def test_a_signal_stops_a_validation_and_the_step_before_it_is_saved(images, tmp_path, monkeypatch, steps):
    run, saved, predict = tmp_path / "run", [], ToyLearner.predict

    def interrupted(self, observation):
        saved.append(saved_steps(run))
        signal.raise_signal(signal.SIGTERM)
        return predict(self, observation)

    monkeypatch.setattr(ToyLearner, "predict", interrupted)
    config = settings(images, run, steps=steps, save_every=4, validate_every=4, batch_size=2, validation_fraction=0.5)
    with pytest.raises(KeyboardInterrupt, match=f"4 of {steps} steps are saved in"):
        train(config)
    assert saved == [[4]] and "validation/loss" not in curves(run)
    monkeypatch.setattr(ToyLearner, "predict", predict)
    train(resumed(config))
    train(dataclasses.replace(config, output_dir=tmp_path / "whole"))
    assert same_tensors(tensors(run, steps), tensors(tmp_path / "whole", steps))


def test_resuming_a_finished_run_changes_nothing(states, tmp_path):
    config = settings(states, tmp_path / "run")
    train(config)
    before = tensors(tmp_path / "run", 20)
    train(resumed(config))
    assert same_tensors(tensors(tmp_path / "run", 20), before)


def test_a_run_with_a_constant_rate_can_be_resumed_with_more_steps(states, tmp_path):
    config = settings(states, tmp_path / "a", schedule="constant", steps=8)
    train(config)
    train(resumed(config, steps=16))
    train(dataclasses.replace(config, steps=16, output_dir=tmp_path / "b"))
    assert same_tensors(tensors(tmp_path / "a", 16), tensors(tmp_path / "b", 16))


def test_resuming_takes_the_flags_of_the_run(states, tmp_path):
    run = tmp_path / "run"
    config = settings(states, run, steps=4, seed=5, model={"hidden": 24})
    train(config)
    found = defaults_for(["--resume", "--output-dir", str(run)])
    assert found == dataclasses.replace(config, quiet=False)


def test_resuming_with_other_flags_is_refused_with_the_differences(states, tmp_path):
    config = settings(states, tmp_path / "run", steps=4)
    train(config)
    changes = {"seed": 1, "steps": 9, "model": ToyConfig(hidden=8), "log_every": 1, "data_path": "streaming"}
    with pytest.raises(UsageError) as caught:
        train(resumed(config, **changes))
    expected = ["--steps was 4, now 9", "--seed was 0, now 1", "--hidden was 16, now 8"]
    assert caught.value.facts["got"] == expected


def test_resuming_with_other_data_is_refused(states, tmp_path):
    config = settings(states, tmp_path / "run", steps=4)
    train(config)
    more = write_dataset(tmp_path / "more", lengths=(7, 5, 9, 6, 4), **STATES)
    with pytest.raises(UsageError) as caught:
        train(resumed(config, data=(more,)))
    (difference,) = caught.value.facts["got"]
    assert difference.startswith("data was 4 episodes, ") and ", now 5 episodes, " in difference


def test_a_run_is_not_overwritten_and_a_missing_one_not_resumed(states, tmp_path):
    run = tmp_path / "run"
    config = settings(states, run, steps=4)
    with pytest.raises(UsageError) as caught:
        train(resumed(config))
    assert caught.value.facts["path"] == run and not run.exists()
    train(config)
    with pytest.raises(UsageError) as caught:
        train(config)
    assert caught.value.facts["got"] == [4] and f"--resume --output-dir {run}" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("{", "Restore"),
        ('{"policy": "toy"}', "Restore"),
        ('{"format_version": 2, "versions": {"ambidex": "9.0.0"}}', "Update ambidex."),
    ],
)
def test_a_damaged_or_newer_train_json_is_an_error_that_names_it(states, tmp_path, content, hint):
    config = settings(states, tmp_path / "run", steps=4)
    train(config)
    (tmp_path / "run" / "train.json").write_text(content)
    with pytest.raises(CheckpointError) as caught:
        train(resumed(config))
    assert caught.value.facts["path"] == tmp_path / "run" / "train.json" and hint in caught.value.hint


def test_two_trainings_cannot_write_into_one_folder(states, tmp_path):
    with exclusive_lock(tmp_path / "run"), pytest.raises(DatasetError, match="Another process is writing"):
        train(settings(states, tmp_path / "run"))


@pytest.mark.parametrize("step", [1, 11, 20])
def test_a_loss_that_is_not_finite_stops_training_and_loses_no_checkpoint(states, tmp_path, step):
    run = tmp_path / "run"
    train(settings(states, tmp_path / "fine"))
    with pytest.raises(TrainingError) as caught:
        train(settings(states, run, model={"nan_at": step}))
    saved = [8, 16][: (step - 1) // 8]
    assert caught.value.facts == {"step": step, "saved": saved[-1] if saved else None}
    assert saved_steps(run) == saved
    for number in saved:
        expected = load_file(tmp_path / "fine" / "checkpoints" / str(number) / "model.safetensors")
        found = load_file(run / "checkpoints" / str(number) / "model.safetensors")
        assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_old_checkpoints_are_removed(states, tmp_path):
    train(settings(states, tmp_path / "run", save_every=3, keep_checkpoints=2))
    assert sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir()) == ["18", "20", "last"]


def remove(file):
    file.unlink()


def change_shape(file):
    stored = load_file(file)
    name = next(iter(stored))
    save_file(stored | {name: torch.zeros(7)}, file)


@pytest.mark.parametrize("change", [cut, remove, change_shape])
def test_a_damaged_training_state_is_refused(states, tmp_path, change):
    config = settings(states, tmp_path / "run", steps=4)
    train(config)
    folder = tmp_path / "run" / "checkpoints" / "4" / "training_state"
    change(folder / "training_state.safetensors")
    with pytest.raises(CheckpointError) as caught:
        train(resumed(config))
    assert folder in (caught.value.facts["path"], caught.value.facts["path"].parent)


def test_a_run_of_an_earlier_version_of_the_policy_is_refused(states, tmp_path, monkeypatch):
    config = settings(states, tmp_path / "run", steps=4)
    train(config)
    monkeypatch.setattr(ToyLearner, "format_version", 2)
    for read in (lambda: train(resumed(config)), lambda: load(tmp_path / "run")):
        with pytest.raises(CheckpointError) as caught:
            read()
        path = tmp_path / "run" / "checkpoints" / "4" / "config.json"
        assert caught.value.facts == {"path": path, "got": 1, "expected": 2}


def test_after_moving_a_damaged_checkpoint_away_the_training_restarts(states, tmp_path):
    run = tmp_path / "run"
    config = settings(states, run)
    train(config)
    file, before = damage(run, 20), tensors(run, 16)
    with pytest.raises(CheckpointError) as caught:
        train(resumed(config))
    folder = run / "checkpoints" / "20"
    assert caught.value.facts["path"] == file
    assert f"Move the folder {folder} away and give the same command, which then restarts" in caught.value.hint
    shutil.rmtree(folder)
    train(resumed(config))
    assert saved_steps(run) == [8, 16, 20] and resumable_step(run) == 20
    assert same_tensors(before, tensors(run, 16))


def test_a_restarted_training_is_resumed_below_the_checkpoints_that_it_found(states, tmp_path):
    run = tmp_path / "run"
    config = settings(states, run)
    train(config)
    before = tensors(run, 16)
    shutil.rmtree(run / "checkpoints" / "20")
    interrupt(resumed(config, keep_checkpoints=2), 5)
    assert saved_steps(run) == [6, 8, 16] and resumable_step(run) == 6
    train(resumed(config))
    assert saved_steps(run) == [6, 8, 16, 20] and resumable_step(run) == 20
    assert same_tensors(before, tensors(run, 16))


@pytest.mark.parametrize("step", [4, 20])
def test_more_steps_of_a_cosine_run_are_refused_with_the_reason(states, tmp_path, step):
    config = settings(states, tmp_path / "run", steps=20)
    if step < 20:
        interrupt(config, step)
    else:
        train(config)
    with pytest.raises(UsageError) as caught:
        train(resumed(config, steps=30))
    assert caught.value.facts["got"] == ["--steps was 20, now 30"]
    assert "ends at step 20" in caught.value.hint and f"--finetune {tmp_path / 'run'} " in caught.value.hint
    assert ("Leave out the flags that differ" in caught.value.hint) is (step < 20)  # it can still be resumed


def test_the_command_that_starts_from_the_weights_of_a_finished_run_is_named(states, tmp_path):
    run = tmp_path / "run"
    config = settings(states, run)
    train(config)
    damage(run, 20)
    with pytest.raises(CheckpointError) as caught:
        train(resumed(config))
    assert f"--finetune {run}/checkpoints/20" in caught.value.hint
    with pytest.raises(UsageError) as caught:
        train(resumed(config, steps=30))
    words = shlex.split(caught.value.hint.split("`")[1])
    assert words[:5] == ["train-policy", "--policy", "toy", "--preset", "base"]
    assert words[5:] == f"--finetune {run} --data {states} --steps 10 --output-dir {run}-longer".split()


def test_resuming_after_the_data_moved_asks_for_its_new_folder_and_accepts_it(tmp_path):
    data, moved, run = tmp_path / "data", tmp_path / "moved", tmp_path / "run"
    config = settings(write_dataset(data, **STATES), run, steps=4)
    train(config)
    data.rename(moved)
    with pytest.raises(UsageError) as caught:
        train(resumed(config))
    assert caught.value.facts["path"] == data
    assert caught.value.hint.endswith(f"train-policy --resume --output-dir {run} --data FOLDER")
    train(resumed(config, data=(moved,)))


def test_resuming_after_the_data_grew_names_what_helps_and_no_flag_that_was_not_given(tmp_path):
    run = tmp_path / "run"
    config = settings(write_dataset(tmp_path / "data", **STATES), run, steps=4)
    train(config)
    write_dataset(tmp_path / "data", lengths=(7, 5, 9, 6, 4), **STATES)
    with pytest.raises(UsageError) as caught:
        train(resumed(config))
    assert "flags" not in str(caught.value) and f"--finetune {run} " in caught.value.hint
    train(resumed(config, exclude_episodes=(tmp_path / "data" / "episode_4.hdf5",)))


def test_every_policy_can_start_from_the_weights_of_a_run_and_acts_as_it_did(states, tmp_path, monkeypatch):
    train(settings(states, tmp_path / "run", steps=4))
    still = {"learning_rate": 0.0, "backbone_learning_rate": 0.0}
    config = settings(states, tmp_path / "more", steps=1, finetune=tmp_path / "run", **still)
    calls = []
    for name in ("init_from", "to"):
        called = getattr(ToyLearner, name)
        noted = lambda *given, name=name, called=called, **named: (calls.append(name), called(*given, **named))[1]  # noqa: E731
        monkeypatch.setattr(ToyLearner, name, noted)
    train(config)
    assert calls == ["init_from", "to"]  # the device never holds both policies
    before, after = (tensors(tmp_path / "run", 4), tensors(tmp_path / "more", 1))
    assert same_tensors({"m": before["model.safetensors"]}, {"m": after["model.safetensors"]})
    source = json.loads((tmp_path / "more" / "train.json").read_text())["first_weights"]
    assert source.startswith("Starts from all weights")


def test_weights_that_do_not_fit_are_refused_with_the_differences(states, images, tmp_path, monkeypatch):
    train(settings(states, tmp_path / "run", steps=2))
    for changes, fields in (({"hidden": 8}, "head.weight"), ({"observations": "images"}, "cameras")):
        with pytest.raises(UsageError) as caught:
            train(settings(images, tmp_path / "other", steps=2, finetune=tmp_path / "run", model=changes))
        assert fields in caught.value.facts["fields"]
    monkeypatch.setattr(train_module, "read_tables", lambda *given, **named: pytest.fail("data is read"))
    with pytest.raises(UsageError, match="no checkpoint"):
        train(settings(states, tmp_path / "other", finetune=tmp_path / "nothing"))
    monkeypatch.undo()
    with pytest.raises(UsageError, match="fresh-interpreter"):
        config = settings(states, tmp_path / "other", steps=2, finetune=tmp_path / "run", fresh_interpreter=True)
        train(config)
