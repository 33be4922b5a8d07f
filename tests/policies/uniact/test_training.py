"""UniAct through the shared trainer."""

import dataclasses
import json

import pytest
import torch
from safetensors.torch import load_file
from synthetic_dataset import write_dataset
from training_runs import interrupt, same_tensors, tensors, train_on_two_ranks
from uniact_samples import uniact_settings

from ambidex.errors import CheckpointError
from ambidex.policies.checkpoint import load
from ambidex.policies.train import train
from ambidex.policies.uniact.policy import UniActPolicy

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data"), image_size=(48, 64), cameras=("top",))


def test_a_checkpoint_is_enough_to_act_and_knows_how_far_it_has_cooled(data, tmp_path):
    run = train(uniact_settings(data, tmp_path / "run"))
    folder = run / "checkpoints" / "6"
    policy = load(run)
    assert isinstance(policy, UniActPolicy)
    assert policy.model.codebook.temperature.step == 6  # validation does not count
    assert policy.model.codebook.temperature().item() == pytest.approx(2.0 - 1.5 * 6 / 100)
    assert (folder / "tokenizer.json").read_text() == policy.model.extractor.tokenizer.to_json()
    assert json.loads((folder / "config.json").read_text())["config"]["codes"] == 16
    assert load_file(folder / "model.safetensors").keys() == policy.state_dict().keys()


def test_a_missing_or_foreign_tokenizer_is_refused(data, tmp_path):
    run = train(uniact_settings(data, tmp_path / "run", steps=1))
    file = run / "checkpoints" / "1" / "tokenizer.json"
    file.write_text("{}")
    with pytest.raises(CheckpointError, match=r"tokenizer\.json cannot be read as a tokenizer"):
        load(run)
    file.unlink()
    with pytest.raises(CheckpointError, match=r"tokenizer\.json cannot be read: .*Restore the checkpoint"):
        load(run)


def test_an_interrupted_training_goes_on_to_the_same_bits(data, tmp_path):
    whole = train(uniact_settings(data, tmp_path / "whole"))
    interrupt(uniact_settings(data, tmp_path / "run"), 3)
    run = train(uniact_settings(data, tmp_path / "run", resume=True))
    assert same_tensors(tensors(whole, 6), tensors(run, 6))


def test_a_resumed_training_keeps_the_tokenizer_of_its_checkpoint(data, tmp_path):
    run = train(uniact_settings(data, tmp_path / "run", steps=2, schedule="constant"))
    other = '{"format": "ambidex byte-level BPE 1", "merges": [[100, 101]]}'
    (run / "checkpoints" / "2" / "tokenizer.json").write_text(other)
    train(uniact_settings(data, tmp_path / "run", steps=3, schedule="constant", resume=True))
    assert json.loads((run / "checkpoints" / "3" / "tokenizer.json").read_text()) == json.loads(other)


@pytest.mark.slow
def test_two_ranks_cool_as_one_does(data, tmp_path):
    flags = (
        "--policy uniact --preset tiny --steps 4 --device cpu --precision fp32 --ema-decay 0 --gradient-clip 0 --quiet "
        "--validation-fraction 0 --chunk-size 1 --scratch.layers 1 --d-model 32 --feedforward 48 --backbone-width 8 "
        "--batch-size 4"
    ).split()
    train_on_two_ranks([*flags, "--data", data, "--output-dir", tmp_path / "run"])
    first, second = (load_file(tmp_path / f"run-{rank}.safetensors") for rank in (0, 1))
    assert first["model.codebook.temperature.step"] == 4
    assert all(torch.equal(first[name], second[name]) and torch.isfinite(first[name]).all() for name in first)


def test_bf16_trains(data, tmp_path):
    config = dataclasses.replace(uniact_settings(data, tmp_path / "run", steps=2), precision="bf16")
    assert all(torch.isfinite(value).all() for value in load(train(config)).state_dict().values())
