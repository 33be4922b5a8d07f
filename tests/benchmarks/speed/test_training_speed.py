"""Timing of training steps of any policy."""

import json
from dataclasses import replace

import pytest
import torch

from ambidex.benchmarks.speed import training_speed
from ambidex.benchmarks.speed.training_speed import SpeedConfig, measure, report
from ambidex.errors import UnknownNameError

QUICK = SpeedConfig(preset="tiny", batch_size=1, steps=2, device="cpu", precision="fp32")
CPU = torch.device("cpu")


@pytest.mark.parametrize("policy", ["act", "robovlms"])
def test_each_step_is_timed_and_trains(policy, tmp_path, capsys, monkeypatch):
    made = []
    make = training_speed.make_policy
    monkeypatch.setattr(training_speed, "make_policy", lambda *args: made.append(make(*args)) or made[-1])
    report(replace(QUICK, policy=policy, output=tmp_path / "speed.json", gradient_checkpointing=True))
    result = json.loads((tmp_path / "speed.json").read_text())
    (trained,) = made
    assert len(result["seconds"]) == 2 and min(result["seconds"]) > 0 and result["peak_bytes"] is None
    assert result["parameters"] == result["trained"] == sum(each.numel() for each in trained.parameters())
    assert all(parameter.grad is not None for parameter in trained.parameters() if parameter.requires_grad)
    assert "samples/s" in capsys.readouterr().out


def test_attention_that_is_not_available_is_reported():
    result = measure(replace(QUICK, policy="robovlms", attention="flash_attention_2"), CPU)
    assert "needs a CUDA device" in result.obstacle and str(result).startswith("not measured: ")


def test_too_little_memory_is_reported(monkeypatch):
    def full(*args):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(training_speed, "timed_steps", full)
    assert "more memory" in measure(QUICK, CPU).obstacle


def test_an_unknown_preset_is_refused():
    with pytest.raises(UnknownNameError):
        measure(replace(QUICK, preset="tinny"), CPU)
