"""Several batches per step: the losses and weights of one large batch."""

import dataclasses

import pytest
import torch
from training_runs import curves, interrupt, same_tensors, settings, tensors

from ambidex.errors import UsageError
from ambidex.policies.training.train import train
from ambidex.policies.training.training_log import StepClock

pytestmark = pytest.mark.usefixtures("toy", "one_thread")
EXACT = {"model": {"dropout": 0.0}, "learning_rate": 1e-3, "steps": 9, "save_every": 9, "validate_every": 3}


def values(run, tag):
    return [value for _, value in curves(run)[tag]]


def test_batches_of_a_step_train_as_one_of_their_size(states, tmp_path):
    """Chunks of 5 in episodes of 5 to 9 steps: the batches differ in padding, and each action counts the same."""
    for name, batch_size, count in (("one", 8, 1), ("four", 2, 4)):
        train(settings(states, tmp_path / name, batch_size=batch_size, accumulate_steps=count, log_every=1, **EXACT))
    one, four = tmp_path / "one", tmp_path / "four"
    for tag in ("loss/loss", "loss/l1", "gradient_norm", "learning_rate/highest"):
        assert values(four, tag) == pytest.approx(values(one, tag), rel=1e-5), tag
        assert [step for step, _ in curves(four)[tag]] == [step for step, _ in curves(one)[tag]]
    weights, expected = (tensors(run, 9)["model.safetensors"] for run in (four, one))
    del weights["head.bias"]  # of L1's gradients, sums of signs, one may be 0 or almost 0, which Adam enlarges
    assert all(torch.allclose(value, expected[name], atol=1e-6) for name, value in weights.items())


def test_an_interrupted_run_resumes_with_the_same_bits(images, tmp_path):
    options = {"model": {"observations": "images"}, "random_shift": 2, "steps": 8, "accumulate_steps": 3}
    train(settings(images, tmp_path / "whole", **options))
    config = settings(images, tmp_path / "parts", **options)
    interrupt(config, 3)
    train(dataclasses.replace(config, resume=True))
    assert same_tensors(tensors(tmp_path / "whole", 8), tensors(tmp_path / "parts", 8))


def test_both_data_paths_give_the_same_batches(images, tmp_path):
    options = {"model": {"observations": "images"}, "steps": 3, "batch_size": 2, "accumulate_steps": 2}
    train(settings(images, tmp_path / "resident", data_path="resident", **options))
    train(settings(images, tmp_path / "streaming", data_path="streaming", data_workers=0, **options))
    assert same_tensors(tensors(tmp_path / "resident", 3), tensors(tmp_path / "streaming", 3))


def test_speed_counts_the_samples_of_all_batches(states, tmp_path, monkeypatch):
    monkeypatch.setattr(StepClock, "read", lambda clock: {"data": 1.0, "update": 3.0})
    train(settings(states, tmp_path / "run", steps=4, batch_size=2, accumulate_steps=8))
    assert values(tmp_path / "run", "speed/samples_per_s") == [4 * 2 * 8 / 4.0]
    assert values(tmp_path / "run", "speed/update_ms_per_sample") == pytest.approx([3000 / 64])


def test_another_number_of_batches_is_another_run(states, tmp_path):
    config = settings(states, tmp_path / "run", steps=4)
    train(config)
    with pytest.raises(UsageError) as caught:
        train(dataclasses.replace(config, accumulate_steps=2, resume=True))
    assert caught.value.facts["got"] == ["--accumulate-steps was 1, now 2"]


def test_less_than_one_batch_is_refused(states, tmp_path):
    with pytest.raises(UsageError) as caught:
        train(settings(states, tmp_path / "run", accumulate_steps=0))
    assert (caught.value.facts["field"], caught.value.facts["got"]) == ("accumulate_steps", 0)
