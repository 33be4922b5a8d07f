"""UniAct through the shared trainer: checkpoints, resuming, streaming, compiling, two processes."""

import dataclasses
import functools
import json
import shutil

import pytest
import torch
from safetensors.torch import load_file
from synthetic_dataset import write_dataset
from training_runs import curves, interrupt, same_tensors, tensors, train_on_two_ranks
from two_robots_data import write_two_datasets
from uniact_samples import uniact_settings

from ambidex.errors import CheckpointError
from ambidex.policies.checkpoint import load
from ambidex.policies.train_policy import defaults_for
from ambidex.policies.training.train import train
from ambidex.policies.uniact.policy import UniActPolicy

pytestmark = pytest.mark.usefixtures("one_thread")
TERMS = {"blind_weight": 0.3, "information_weight": 2e-3}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data"), image_size=(48, 64), cameras=("top",))


@pytest.fixture(scope="module")
def two_datasets(tmp_path_factory):
    return write_two_datasets(tmp_path_factory.mktemp("two"))


@pytest.fixture(scope="module")
def base(two_datasets, tmp_path_factory):
    return train(uniact_settings(two_datasets[0], tmp_path_factory.mktemp("base") / "run", model=TERMS, steps=3))


def test_a_checkpoint_has_everything_to_act_and_the_temperature(data, tmp_path):
    run = train(uniact_settings(data, tmp_path / "run"))
    folder = run / "checkpoints" / "6"
    policy = load(run)
    assert isinstance(policy, UniActPolicy)
    assert policy.model.codebook.temperature.step == 6  # validation does not count
    assert policy.model.codebook.temperature().item() == pytest.approx(2.0 - 1.5 * 6 / 100)
    assert (folder / "tokenizer.json").read_text() == policy.model.extractor.tokenizer.to_json()
    assert json.loads((folder / "config.json").read_text())["config"]["codes"] == 16
    assert load_file(folder / "model.safetensors").keys() == policy.state_dict().keys()


def test_a_missing_or_damaged_tokenizer_is_refused(data, tmp_path):
    run = train(uniact_settings(data, tmp_path / "run", steps=1))
    file = run / "checkpoints" / "1" / "tokenizer.json"
    file.write_text("{}")
    with pytest.raises(CheckpointError, match=r"tokenizer\.json cannot be read as a tokenizer"):
        load(run)
    file.unlink()
    with pytest.raises(CheckpointError, match=r"tokenizer\.json cannot be read: .*Restore the checkpoint"):
        load(run)


def test_an_interrupted_training_is_resumed_with_the_same_bits(data, tmp_path):
    whole = train(uniact_settings(data, tmp_path / "whole"))
    interrupt(uniact_settings(data, tmp_path / "run"), 3)
    run = train(uniact_settings(data, tmp_path / "run", resume=True))
    assert same_tensors(tensors(whole, 6), tensors(run, 6))


def test_a_resumed_training_uses_the_tokenizer_of_its_checkpoint(data, tmp_path):
    run = train(uniact_settings(data, tmp_path / "run", steps=2, schedule="constant"))
    other = '{"format": "ambidex byte-level BPE 1", "merges": [[100, 101]]}'
    (run / "checkpoints" / "2" / "tokenizer.json").write_text(other)
    train(uniact_settings(data, tmp_path / "run", steps=3, schedule="constant", resume=True))
    assert json.loads((run / "checkpoints" / "3" / "tokenizer.json").read_text()) == json.loads(other)


@pytest.mark.slow
def test_two_ranks_have_the_temperature_and_the_weights_of_each_other(data, tmp_path):
    flags = (
        "--policy uniact --preset tiny --steps 4 --device cpu --precision fp32 --ema-decay 0 --gradient-clip 0 --quiet "
        "--validation-fraction 0 --chunk-size 1 --scratch.layers 1 --d-model 32 --feedforward 48 --backbone-width 8 "
        "--batch-size 4"
    ).split()
    train_on_two_ranks([*flags, "--data", data, "--output-dir", tmp_path / "run"])
    first, second = (load_file(tmp_path / f"run-{rank}.safetensors") for rank in (0, 1))
    assert first["model.codebook.temperature.step"] == 4
    assert all(torch.equal(first[name], second[name]) and torch.isfinite(first[name]).all() for name in first)


def test_training_in_bf16_gives_finite_weights(data, tmp_path):
    config = dataclasses.replace(uniact_settings(data, tmp_path / "run", steps=2), precision="bf16")
    assert all(torch.isfinite(value).all() for value in load(train(config)).state_dict().values())


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_streamed_frames_of_several_embodiments_give_the_same_bits(two_datasets, tmp_path, workers):
    """Each embodiment has its own readers, which read in the order of its own steps."""
    paths = {"resident": {}, "streaming": {"data_path": "streaming", "data_workers": workers}}
    runs = [
        train(uniact_settings(two_datasets, tmp_path / name, random_shift=2, **flags)) for name, flags in paths.items()
    ]
    assert same_tensors(*(tensors(run, 6) for run in runs))


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # torch hides it from users
@pytest.mark.slow
def test_training_on_several_embodiments_can_be_compiled(two_datasets, tmp_path, monkeypatch):
    """aot_eager separates forward and backward pass as inductor does, without the C++ compiler, which takes minutes."""
    plain = train(uniact_settings(two_datasets, tmp_path / "plain", model=TERMS, log_every=1))
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="aot_eager"))
    compiled = train(uniact_settings(two_datasets, tmp_path / "compiled", model=TERMS, log_every=1, compile=True))
    for term in ("temperature", "divergence", "information"):
        first, second = (dict(curves(run)[f"loss/{term}"]) for run in (plain, compiled))
        assert first == pytest.approx(second, rel=0.05), term  # codes are drawn with other numbers
    assert load(compiled).model.codebook.temperature.step == 6


def test_an_adaptation_is_resumed_without_its_base_checkpoint(two_datasets, base, tmp_path):
    shutil.copytree(base, tmp_path / "base", symlinks=True)
    config = uniact_settings(two_datasets[1], tmp_path / "run", model=TERMS, adapt=tmp_path / "base")
    whole = train(dataclasses.replace(config, output_dir=tmp_path / "whole"))
    interrupt(config, 2)
    shutil.rmtree(tmp_path / "base")
    words = ["--resume", "--output-dir", str(tmp_path / "run")]
    train(dataclasses.replace(defaults_for(words), resume=True, quiet=True))
    assert same_tensors(tensors(whole, 6), tensors(tmp_path / "run", 6))


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0, 2])
def test_two_ranks_adapt_like_one_with_twice_the_batch_size(two_datasets, base, tmp_path, shift):
    """No code is drawn in an adaptation. With a shift, which each process draws, features are not cached."""
    flags = (
        "--policy uniact --preset tiny --steps 4 --device cpu --precision fp32 --ema-decay 0 --gradient-clip 0 --quiet "
        f"--validation-fraction 0 --schedule constant --learning-rate 0.001 --random-shift {shift} --chunk-size 8"
    ).split()
    words = [*flags, "--adapt", base, "--data", two_datasets[1]]
    train_on_two_ranks([*words, "--output-dir", tmp_path / "two", "--batch-size", 4])
    first, second = (load_file(tmp_path / f"two-{rank}.safetensors") for rank in (0, 1))
    assert all(torch.equal(first[name], second[name]) for name in first)
    if not shift:
        config = defaults_for(["--resume", "--output-dir", str(tmp_path / "two")])
        one = load(train(dataclasses.replace(config, output_dir=tmp_path / "one", batch_size=8, quiet=True)))
        assert all(torch.allclose(value, first[name], atol=1e-4) for name, value in one.state_dict().items())
