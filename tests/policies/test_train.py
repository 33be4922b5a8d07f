"""What a training leaves behind, and that it does not matter how often it was interrupted."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from synthetic_dataset import STATES, write_dataset
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from toy_learner import ToyConfig

import ambidex.policies
from ambidex.directory_lock import claimed
from ambidex.envs.errors import DatasetError, UnknownNameError, UsageError
from ambidex.policies.checkpoint import policy_type
from ambidex.policies.dataset import read_table
from ambidex.policies.errors import CheckpointError, TrainingError
from ambidex.policies.split import split
from ambidex.policies.stop_signal import StopSignal
from ambidex.policies.train import train
from ambidex.policies.train_flags import defaults, defaults_for
from ambidex.policies.training_setup import statistics_of

pytestmark = pytest.mark.usefixtures("toy", "one_thread")


def settings(data, run, *, model=None, **changes):
    config = defaults("toy")
    changes = {"save_every": 8, "log_every": 4, "validate_every": 10, "device": "cpu", "precision": "fp32", **changes}
    model = dataclasses.replace(config.model, **(model or {}))
    return dataclasses.replace(config, data=(data,), output_dir=run, quiet=True, model=model, **changes)


def tensors(run, step):
    folder = run / "checkpoints" / str(step)
    return {path.name: load_file(path) for path in sorted(folder.rglob("*.safetensors"))}


def same_tensors(a, b):
    return a.keys() == b.keys() and all(
        a[file].keys() == b[file].keys() and all(torch.equal(a[file][name], b[file][name]) for name in a[file])
        for file in a
    )


def curves(run):
    accumulator = EventAccumulator(str(run / "tensorboard"))
    accumulator.Reload()
    return {tag: [(e.step, e.value) for e in accumulator.Scalars(tag)] for tag in accumulator.Tags()["scalars"]}


def test_what_a_run_holds(states, tmp_path):
    run = tmp_path / "run"
    assert train(settings(states, run)) == run
    assert sorted(path.name for path in run.iterdir()) == ["checkpoints", "tensorboard", "train.json"]
    names = sorted(path.name for path in (run / "checkpoints").iterdir())
    assert names == ["16", "20", "8", "last"]
    assert (run / "checkpoints" / "last").readlink().name == "20"
    last = sorted(path.name for path in (run / "checkpoints" / "last").iterdir())
    assert last == ["config.json", "env_spec.json", "model.safetensors", "statistics.json", "training_state"]
    assert not (run / "checkpoints" / "16" / "training_state").exists()
    about = json.loads((run / "train.json").read_text())
    assert about["versions"]["torch"] == torch.__version__
    assert about["config"]["precision"] == "fp32"
    assert about["config"]["model"]["chunk_size"] == 5


def test_the_default_folder_is_named_after_policy_and_dataset(states, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "peg"
    data.symlink_to(states)
    run = train(dataclasses.replace(settings(data, None), steps=1))
    assert str(run) == f"runs/toy-{states.name}"


def test_the_curves_cover_losses_rates_and_speed(states, tmp_path):
    train(settings(states, tmp_path / "run"))
    found = curves(tmp_path / "run")
    assert [step for step, _ in found["loss/loss"]] == [4, 8, 12, 16, 20]
    assert [step for step, _ in found["validation/action_error"]] == [10, 20]
    for tag in ("loss/l1", "gradient_norm", "learning_rate/highest", "speed/samples_per_s", "speed/update_ms"):
        assert len(found[tag]) == 5, tag
    doubled = [2 * value for _, value in found["loss/l1"]]
    assert doubled == pytest.approx([value for _, value in found["loss/loss"]], rel=1e-5)
    assert found["learning_rate/highest"][-1][1] < found["learning_rate/highest"][0][1]


def test_it_learns(states, tmp_path):
    config = settings(states, tmp_path / "run", steps=300, save_every=300, model={"dropout": 0.0, "hidden": 64})
    train(dataclasses.replace(config, validation_fraction=0.0))
    losses = [value for _, value in curves(tmp_path / "run")["loss/loss"]]
    assert losses[-1] < 0.7 * losses[0]


def test_the_same_seed_gives_the_same_weights_and_another_does_not(states, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train(settings(states, tmp_path / name, seed=seed, steps=6))
    assert same_tensors(tensors(tmp_path / "a", 6), tensors(tmp_path / "b", 6))
    assert not same_tensors(tensors(tmp_path / "a", 6), tensors(tmp_path / "c", 6))


class StopAfter(StopSignal):
    """Asks to stop after some steps, as Ctrl-C would."""

    steps = 0

    @property
    def received(self):
        type(self).steps -= 1
        return type(self).steps < 0

    @received.setter
    def received(self, value):
        pass


@pytest.mark.parametrize("stops", [(0,), (7,), (3, 4, 5)])
def test_an_interrupted_and_resumed_run_has_the_bits_of_an_uninterrupted_one(pictures, tmp_path, monkeypatch, stops):
    options = {"model": {"observations": "images"}, "random_shift": 2, "colour_jitter": 0.2}
    train(settings(pictures, tmp_path / "whole", **options))
    config = settings(pictures, tmp_path / "parts", **options)
    with monkeypatch.context() as patch:
        patch.setattr("ambidex.policies.trainer.StopSignal", StopAfter)
        done = 0
        for i, stop in enumerate(stops):
            StopAfter.steps = stop
            done += stop + 1
            with pytest.raises(KeyboardInterrupt, match=f"{done} of 20 steps are saved in"):
                train(dataclasses.replace(config, resume=i > 0))
    train(dataclasses.replace(config, resume=True))
    assert same_tensors(tensors(tmp_path / "parts", 20), tensors(tmp_path / "whole", 20))
    whole, parts = curves(tmp_path / "whole"), curves(tmp_path / "parts")
    assert parts["loss/loss"][-1] == whole["loss/loss"][-1]
    assert parts["validation/loss"] == whole["validation/loss"]


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
    with claimed(tmp_path / "run"), pytest.raises(DatasetError, match="Another run is writing"):
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


def test_statistics_know_nothing_of_held_out_episodes(states, tmp_path):
    train(settings(states, tmp_path / "run", steps=1, validation_fraction=0.5))
    table = read_table([states])
    training, held_out = split(4, 0.5, 0)
    assert json.loads((tmp_path / "run" / "train.json").read_text())["validation_episodes"] == list(held_out)
    stored = json.loads((tmp_path / "run" / "checkpoints" / "last" / "statistics.json").read_text())
    rows = table.rows(training)
    assert stored["qpos"]["mean"] == table.qpos[rows].astype(np.float64).mean(0).tolist()
    everything = statistics_of(table, table.rows(range(4)))
    assert stored["qpos"]["mean"] != list(everything.qpos.mean)


def test_a_backbone_rate_of_zero_leaves_the_backbone(states, tmp_path):
    for name, rate in (("still", 0.0), ("moving", 1e-2)):
        train(settings(states, tmp_path / name, backbone_learning_rate=rate, ema_decay=0.0))
    still, moving = (ambidex.policies.load(tmp_path / name) for name in ("still", "moving"))
    torch.manual_seed(0)
    table = read_table([states])
    fresh = policy_type("toy")(ToyConfig(), table.spec, statistics_of(table, table.rows([0])))
    assert torch.equal(still.eye.bias, fresh.eye.bias)
    assert not torch.equal(moving.eye.bias, fresh.eye.bias)
    assert not torch.equal(still.head.bias, fresh.head.bias)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"steps": 0}, "--steps 0: expected at least 1"),
        ({"batch_size": -3}, "--batch-size -3: expected at least 1"),
        ({"ema_decay": 1.0}, "--ema-decay 1.0: expected from 0 to below 1"),
        ({"learning_rate": float("nan")}, "--learning-rate nan"),
        ({"schedule": "cos"}, "--schedule cos: expected one of cosine, constant"),
        ({"precision": "fp16"}, "--precision fp16: expected one of auto, fp32, bf16"),
        ({"device": "quantum"}, "--device quantum cannot be used"),
        ({"data_path": "fast"}, "--data-path fast: expected one of auto, resident, streaming"),
        ({"data": ()}, "No dataset is given"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_written(pictures, tmp_path, changes, words):
    config = settings(pictures, tmp_path / "run", model={"observations": "images"})
    with pytest.raises(UsageError, match=words):
        train(dataclasses.replace(config, **changes))
    assert not (tmp_path / "run").exists()


def test_a_missing_camera_is_named_with_the_command_that_renders_it(states, pictures, tmp_path):
    with pytest.raises(UsageError, match=r"holds states only.*render-episodes .* --cameras top"):
        train(settings(states, tmp_path / "run", model={"observations": "images"}))
    with pytest.raises(UsageError, match=r"right_wrist, and .* has the cameras top, left_wrist.*--cameras right_wrist"):
        train(settings(pictures, tmp_path / "run", model={"observations": "images", "cameras": ("top", "right_wrist")}))
    assert not (tmp_path / "run").exists()


def test_an_unknown_preset_or_policy_is_named():
    with pytest.raises(UnknownNameError, match="Did you mean 'toy'"):
        defaults("tot")
    with pytest.raises(UnknownNameError, match="Unknown preset of toy 'huge'"):
        defaults("toy", "huge")


def test_a_damaged_training_state_is_refused(states, tmp_path):
    config = settings(states, tmp_path / "run", steps=4)
    train(config)
    file = tmp_path / "run" / "checkpoints" / "4" / "training_state" / "training_state.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"training_state\.safetensors cannot be read"):
        train(dataclasses.replace(config, resume=True))
