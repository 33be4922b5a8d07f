"""What a training leaves behind, and what is refused before it begins."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from synthetic_dataset import STATES, write_dataset
from toy_learner import ToyConfig
from training_runs import curves, same_tensors, settings, tensors

import ambidex.policies
from ambidex.errors import UnknownNameError, UsageError
from ambidex.policies.checkpoint import policy_class
from ambidex.policies.data.dataset import read_table
from ambidex.policies.data.split import split
from ambidex.policies.train import train
from ambidex.policies.train_policy import defaults
from ambidex.policies.training.robots import statistics_of

pytestmark = pytest.mark.usefixtures("toy", "one_thread")


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
    fresh = policy_class("toy")(ToyConfig(), table.spec, statistics_of(table, table.rows([0])))
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
    with pytest.raises(
        UsageError, match=r"right_wrist, and .* has the cameras top, left_wrist.*--cameras top right_wrist"
    ):
        train(settings(pictures, tmp_path / "run", model={"observations": "images", "cameras": ("top", "right_wrist")}))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cameras": ("top",)}, r"b has images of top, .*a of top, left_wrist\. Say which to look at, --cameras top"),
        ({"render_quality": "studio"}, "b are of render quality studio, those of .*a of standard"),
    ],
)
def test_datasets_whose_images_differ_are_refused_unless_it_does_not_matter(tmp_path, change, words):
    a, b = write_dataset(tmp_path / "a"), write_dataset(tmp_path / "b", **change)
    config = dataclasses.replace(settings(a, tmp_path / "run", steps=1), data=(a, b))
    with pytest.raises(UsageError, match=words):
        train(dataclasses.replace(config, model=ToyConfig(observations="images")))
    train(config)  # looks at object poses
    if "cameras" in change:
        model = ToyConfig(observations="images", cameras=("top",))
        train(dataclasses.replace(config, model=model, output_dir=tmp_path / "named"))


def test_poses_of_other_objects_are_not_mixed(tmp_path):
    a = write_dataset(tmp_path / "a", **STATES)
    b = write_dataset(tmp_path / "b", object_names=("socket", "peg"), **STATES)
    with pytest.raises(UsageError, match="do not have the same objects"):
        train(dataclasses.replace(settings(a, tmp_path / "run", steps=1), data=(a, b)))


def test_an_unknown_preset_or_policy_is_named():
    with pytest.raises(UnknownNameError, match="Did you mean 'toy'"):
        defaults("tot")
    with pytest.raises(UnknownNameError, match="Unknown preset of toy 'huge'"):
        defaults("toy", "huge")


def test_both_data_paths_train_the_same_weights(pictures, tmp_path):
    options = {"model": {"observations": "images"}, "random_shift": 2, "colour_jitter": 0.1, "steps": 9}
    train(settings(pictures, tmp_path / "resident", data_path="resident", **options))
    train(settings(pictures, tmp_path / "streaming", data_path="streaming", data_workers=1, **options))
    train(settings(pictures, tmp_path / "plain", **{**options, "random_shift": 0, "colour_jitter": 0.0}))
    assert same_tensors(tensors(tmp_path / "resident", 9), tensors(tmp_path / "streaming", 9))
    assert not same_tensors(tensors(tmp_path / "resident", 9), tensors(tmp_path / "plain", 9))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*script_method. is deprecated")  # torch's own
def test_a_compiled_loss_trains_the_same_up_to_rounding(states, tmp_path):
    for name in ("plain", "compiled"):
        train(settings(states, tmp_path / name, steps=5, compile=name == "compiled", model={"dropout": 0.0}))
    plain, compiled = (tensors(tmp_path / name, 5)["model.safetensors"] for name in ("plain", "compiled"))
    assert all(torch.allclose(plain[name], compiled[name], atol=1e-5) for name in plain)
