"""FSDP: the losses and weights of one process, in the same files, and a resumed run with the same bits."""

import dataclasses
import json

import pytest
import torch
import torch.distributed as dist
from robovlms_samples import SMALL
from training_runs import SHARDED, curves, interrupt, same_tensors, settings, tensors, train_on_two_ranks

from ambidex.errors import UsageError
from ambidex.policies.checkpoint import load
from ambidex.policies.training import train as train_module
from ambidex.policies.training.train import train

pytestmark = pytest.mark.usefixtures("layered", "one_thread")
STEPS = SHARDED["steps"]


def close(a, b, **limits):
    """Whether two runs have the same tensors up to rounding."""
    rounded = "head.bias"  # of L1's gradients, sums of signs, one may be 0 or almost 0, which Adam enlarges
    pairs = [(a[file][name], b[file][name]) for file in a for name in a[file] if not name.endswith(rounded)]
    return {file: set(a[file]) for file in a} == {file: set(b[file]) for file in b} and all(
        torch.allclose(one, other, **limits) for one, other in pairs
    )


def expect_same_curves(run, other):
    found, expected = curves(run), curves(other)
    assert found.keys() == expected.keys()
    for tag in ("loss/loss", "loss/l1", "gradient_norm", "validation/loss", "validation/action_error"):
        assert [step for step, _ in found[tag]] == [step for step, _ in expected[tag]], tag
        values = [value for _, value in found[tag]]
        assert values == pytest.approx([value for _, value in expected[tag]], rel=1e-5), tag


@pytest.fixture
def one_shard(tmp_path, monkeypatch):
    """A process group of one process, in which models may be divided into one shard."""
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    monkeypatch.setattr(train_module, "check_sharding", lambda config, ranks: None)
    yield
    dist.destroy_process_group()


@pytest.mark.usefixtures("one_shard")
@pytest.mark.parametrize("changes", [{}, {"ema_decay": 0.0, "gradient_checkpointing": True}])
def test_one_shard_trains_validates_and_resumes_as_a_whole_model(states, tmp_path, changes):
    options = {**SHARDED, **changes}
    train(settings(states, tmp_path / "plain", **options))
    train(settings(states, tmp_path / "fsdp", sharding="fsdp", **options))
    config = settings(states, tmp_path / "parts", sharding="fsdp", **options)
    interrupt(config, 4)
    train(dataclasses.replace(config, resume=True))
    assert close(tensors(tmp_path / "plain", STEPS), tensors(tmp_path / "fsdp", STEPS), atol=1e-6)
    assert same_tensors(tensors(tmp_path / "fsdp", STEPS), tensors(tmp_path / "parts", STEPS))
    expect_same_curves(tmp_path / "fsdp", tmp_path / "plain")
    assert load(tmp_path / "fsdp").layers[1].out.weight.shape == (16, 16)


@pytest.mark.usefixtures("one_shard")
def test_bf16_keeps_float32_weights_and_state(states, tmp_path):
    for name, precision in (("half", "bf16"), ("whole", "fp32")):
        train(settings(states, tmp_path / name, sharding="fsdp", **{**SHARDED, "precision": precision}))
    assert {value.dtype for file in tensors(tmp_path / "half", STEPS).values() for value in file.values()} == {
        torch.float32
    }
    half, whole = (curves(tmp_path / name)["loss/loss"][-1][1] for name in ("half", "whole"))
    assert half != whole and half == pytest.approx(whole, rel=0.01)


@pytest.mark.usefixtures("one_shard")
def test_robovlms_with_lora_checkpointed_layers_and_bf16_trains_in_shards(images, tmp_path):
    model = {**SMALL, "backbone": "paligemma", "history": 2, "lora_rank": 2, "train_vision": False, "lora_dropout": 0.0}
    options = {"steps": 3, "batch_size": 2, "log_every": 1, "learning_rate": 1e-2, "ema_decay": 0.0}
    options |= {"gradient_checkpointing": True, "validation_fraction": 0.0, "precision": "bf16"}
    for name, sharding in (("plain", "none"), ("fsdp", "fsdp")):
        run = tmp_path / name
        train(settings(images, run, policy="robovlms", preset="tiny", model=model, sharding=sharding, **options))
    found, expected = (tensors(tmp_path / name, 3) for name in ("fsdp", "plain"))
    assert {file: set(found[file]) for file in found} == {file: set(expected[file]) for file in expected}
    for tag in ("loss/loss", "gradient_norm"):
        found, expected = (curves(tmp_path / name)[tag] for name in ("fsdp", "plain"))
        assert [value for _, value in found] == pytest.approx([value for _, value in expected], rel=0.05), tag
    assert load(tmp_path / "fsdp").config.lora_rank == 2


@pytest.mark.slow
def test_two_processes_with_shards_train_as_one_with_the_global_batch(states, tmp_path):
    train(settings(states, tmp_path / "one", **{**SHARDED, "batch_size": 8, "accumulate_steps": 1}))
    train_on_two_ranks([states, tmp_path], "sharded_ranks.py")
    expected = tensors(tmp_path / "one", STEPS)
    for name in ("ddp", "fsdp"):
        assert close(tensors(tmp_path / name, STEPS), expected, atol=1e-5), name
        found, one = curves(tmp_path / name), curves(tmp_path / "one")
        for tag in ("loss/loss", "gradient_norm"):
            assert [value for _, value in found[tag]] == pytest.approx([value for _, value in one[tag]], rel=1e-5)
    expect_same_curves(tmp_path / "fsdp", tmp_path / "ddp")
    assert same_tensors(tensors(tmp_path / "fsdp", STEPS), tensors(tmp_path / "parts", STEPS))
    expect_same_curves(tmp_path / "parts", tmp_path / "fsdp")
    assert json.loads((tmp_path / "fsdp" / "train.json").read_text())["ranks"] == 2
    half = curves(tmp_path / "half")["loss/loss"][-1][1]
    assert half == pytest.approx(found["loss/loss"][-1][1], rel=0.01)
    load(tmp_path / "fsdp")


def test_one_process_alone_is_refused(states, tmp_path):
    with pytest.raises(UsageError, match="one process") as caught:
        train(settings(states, tmp_path / "run", sharding="fsdp", policy="layered"))
    assert caught.value.facts == {"field": "sharding"} and "torchrun" in caught.value.hint


@pytest.mark.parametrize(
    ("changes", "field"), [({"sharding": "ddp"}, "sharding"), ({"sharding": "fsdp", "compile": True}, "compile")]
)
def test_wrong_flags_are_refused(states, tmp_path, monkeypatch, changes, field):
    for name, value in {"TORCHELASTIC_RUN_ID": "x", "RANK": 0, "WORLD_SIZE": 2, "LOCAL_RANK": 0}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    with pytest.raises(UsageError) as caught:
        train(settings(states, tmp_path / "run", policy="layered", **changes))
    assert caught.value.facts["field"] == field


@pytest.mark.usefixtures("one_shard")
def test_a_policy_without_layers_is_refused(states, tmp_path):
    with pytest.raises(UsageError, match="no transformer layers"):
        train(settings(states, tmp_path / "run", sharding="fsdp"))
