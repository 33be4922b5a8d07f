import dataclasses
import json

import numpy as np
import pytest
import torch
from synthetic_dataset import read_table, write_twins
from toy_learner import ToyConfig, ToyLearner
from training_runs import curves, same_tensors, settings, tensors

import ambidex.policies
from ambidex.errors import UnknownNameError
from ambidex.policies.checkpoint import load, policy_class
from ambidex.policies.data.split import split
from ambidex.policies.train_policy import defaults_for, train_config
from ambidex.policies.training.plan import split_data, statistics_of
from ambidex.policies.training.train import train

pytestmark = pytest.mark.usefixtures("toy", "one_thread")


def test_the_files_of_a_run(states, tmp_path):
    run = tmp_path / "run"
    assert train(settings(states, run)) == run
    assert sorted(path.name for path in run.iterdir()) == ["checkpoints", "tensorboard", "train.json"]
    names = sorted(path.name for path in (run / "checkpoints").iterdir())
    assert names == ["16", "20", "8", "last"]
    assert (run / "checkpoints" / "last").readlink().name == "20"
    last = sorted(path.name for path in (run / "checkpoints" / "last").iterdir())
    assert last == ["config.json", "env_spec.json", "model.safetensors", "statistics.json", "training_state"]
    assert not (run / "checkpoints" / "16" / "training_state").exists()
    info = json.loads((run / "train.json").read_text())
    assert info["versions"]["torch"] == torch.__version__
    assert info["config"]["precision"] == "fp32"
    assert info["config"]["model"]["chunk_size"] == 5


def test_the_log_says_how_many_parameters_are_trained_unless_all_are(states, tmp_path, capsys):
    for rate, expected in ((0.0, False), (1e-3, True)):
        config = settings(states, tmp_path / str(rate), steps=1, backbone_learning_rate=rate)
        train(dataclasses.replace(config, quiet=False))
        line = capsys.readouterr().err.splitlines()[0]
        assert (" M trained, on cpu" in line) != expected and line.startswith("toy: 0.0 M parameters")


@pytest.mark.parametrize(("control", "actions"), [(None, 14), ("joint", 14), ("ee", 16)])
def test_the_control_mode_is_that_of_the_flag_or_of_the_recording(states, tmp_path, control, actions):
    policy = load(train(settings(states, tmp_path / "run", steps=1, control=control)))
    assert (policy.spec.control, len(policy.spec.action_names)) == (control or "joint", actions)
    assert defaults_for(["--resume", "--output-dir", str(tmp_path / "run")]).control == control


def test_the_default_folder_is_named_after_policy_and_dataset(states, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "peg"
    data.symlink_to(states)
    run = train(dataclasses.replace(settings(data, None), steps=1))
    assert str(run) == f"runs/toy-{states.name}"


def test_the_curves_have_losses_learning_rates_and_speed(states, tmp_path):
    train(settings(states, tmp_path / "run"))
    found = curves(tmp_path / "run")
    assert [step for step, _ in found["loss/loss"]] == [4, 8, 12, 16, 20]
    assert [step for step, _ in found["validation/action_error"]] == [10, 20]
    for tag in (
        "loss/l1",
        "gradient_norm",
        "learning_rate/highest",
        "speed/samples_per_s",
        "speed/update_ms_per_sample",
    ):
        assert len(found[tag]) == 5, tag
    doubled = [2 * value for _, value in found["loss/l1"]]
    assert doubled == pytest.approx([value for _, value in found["loss/loss"]], rel=1e-5)
    assert found["learning_rate/highest"][-1][1] < found["learning_rate/highest"][0][1]


def test_a_validation_shows_its_progress_and_evaluates_as_many_samples_as_the_policy_says(
    states, tmp_path, monkeypatch, capsys
):
    evaluated, predict = [], ToyLearner.predict
    monkeypatch.setattr("ambidex.progress.LINE_EVERY_S", 0)
    monkeypatch.setattr("ambidex.policies.training.training_log.REFRESH_S", 0)
    monkeypatch.setattr(ToyLearner, "validation_samples", 5)
    monkeypatch.setattr(ToyLearner, "predict", lambda self, batch: evaluated.append(len(batch)) or predict(self, batch))
    config = settings(states, tmp_path / "run", steps=2, batch_size=2, validation_fraction=0.5)
    train(dataclasses.replace(config, quiet=False))
    assert evaluated == [2, 2, 1]
    assert ", validating, batch 3 of 3\n" in capsys.readouterr().err


def test_training_reduces_the_loss(states, tmp_path):
    config = settings(states, tmp_path / "run", steps=300, save_every=300, model={"dropout": 0.0, "hidden": 64})
    train(dataclasses.replace(config, validation_fraction=0.0))
    losses = [value for _, value in curves(tmp_path / "run")["loss/loss"]]
    assert losses[-1] < 0.7 * losses[0]


def test_the_same_seed_gives_the_same_weights_and_another_does_not(states, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train(settings(states, tmp_path / name, seed=seed, steps=6))
    assert same_tensors(tensors(tmp_path / "a", 6), tensors(tmp_path / "b", 6))
    assert not same_tensors(tensors(tmp_path / "a", 6), tensors(tmp_path / "c", 6))


def test_statistics_do_not_include_held_out_episodes(states, tmp_path):
    train(settings(states, tmp_path / "run", steps=1, validation_fraction=0.5))
    table = read_table([states])
    training, held_out = split(4, 0.5, 0)
    assert json.loads((tmp_path / "run" / "train.json").read_text())["validation_episodes"] == list(held_out)
    stored = json.loads((tmp_path / "run" / "checkpoints" / "last" / "statistics.json").read_text())
    rows = table.rows(training)
    assert stored["qpos"]["mean"] == table.qpos[rows].astype(np.float64).mean(0).tolist()
    of_all = statistics_of(table, table.rows(range(4)))
    assert stored["qpos"]["mean"] != list(of_all.qpos.mean)


def test_a_backbone_learning_rate_of_zero_freezes_the_backbone(states, tmp_path):
    for name, rate in (("frozen", 0.0), ("trained", 1e-2)):
        train(settings(states, tmp_path / name, backbone_learning_rate=rate, ema_decay=0.0))
    frozen, trained = (ambidex.policies.load(tmp_path / name) for name in ("frozen", "trained"))
    torch.manual_seed(0)
    table = read_table([states])
    fresh = policy_class("toy")(ToyConfig(), table.spec, statistics_of(table, table.rows([0])))
    assert torch.equal(frozen.eye.bias, fresh.eye.bias)
    assert not torch.equal(trained.eye.bias, fresh.eye.bias)
    assert not torch.equal(frozen.head.bias, fresh.head.bias)


def test_an_unknown_preset_or_policy_is_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'toy'"):
        train_config("tot")
    with pytest.raises(UnknownNameError, match="Unknown preset of toy 'huge'"):
        train_config("toy", "huge")


def test_a_misspelt_setting_gets_a_suggestion():
    with pytest.raises(UnknownNameError, match="Did you mean 'batch_size'") as caught:
        train_config("toy", bach_size=8)
    assert caught.value.facts["kind"] == "setting" and caught.value.facts["got"] == "bach_size"


@pytest.mark.parametrize(("history", "workers"), [(1, 1), (3, 0)])
def test_both_data_paths_train_the_same_weights(images, tmp_path, history, workers):
    model = {"observations": "images", "history": history, "stride": 2}
    options = {"model": model, "random_shift": 2, "colour_jitter": 0.1, "steps": 9}
    train(settings(images, tmp_path / "resident", data_path="resident", **options))
    train(settings(images, tmp_path / "streaming", data_path="streaming", data_workers=workers, **options))
    train(settings(images, tmp_path / "plain", **{**options, "random_shift": 0, "colour_jitter": 0.0}))
    assert same_tensors(tensors(tmp_path / "resident", 9), tensors(tmp_path / "streaming", 9))
    assert not same_tensors(tensors(tmp_path / "resident", 9), tensors(tmp_path / "plain", 9))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*script_method. is deprecated")  # torch's own
def test_a_compiled_loss_trains_the_same_up_to_rounding(states, tmp_path):
    for name in ("plain", "compiled"):
        train(settings(states, tmp_path / name, steps=5, compile=name == "compiled", model={"dropout": 0.0}))
    plain, compiled = (tensors(tmp_path / name, 5)["model.safetensors"] for name in ("plain", "compiled"))
    assert all(torch.allclose(plain[name], compiled[name], atol=1e-5) for name in plain)


@pytest.mark.parametrize("seed", range(5))
def test_episodes_with_the_same_initial_state_are_on_the_same_side_of_the_split_in_all_tables(tmp_path, seed):
    table = read_table([write_twins(tmp_path / "twins")])
    config = settings(tmp_path / "twins", tmp_path / "run", seed=seed, validation_fraction=0.3)
    half = dataclasses.replace(table, entries=table.entries[:4])
    one, other = split_data(config, [table, half])
    assert len(one.held_out) == 2 and {index // 2 for index in one.held_out} == {one.held_out[0] // 2}
    assert sorted((*one.training, *one.held_out)) == list(range(6))
    assert set(other.held_out) == set(one.held_out) & set(range(4))
