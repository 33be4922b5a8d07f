"""The parts of the trainer obey their laws."""

import math
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from ambidex.codec import from_json, to_json
from ambidex.policies.training.distributed import choose_device, choose_precision
from ambidex.policies.training.learner import make_optimizer, rate_factor
from ambidex.policies.training.logging import LossWatch, StepClock, TrainingLog
from ambidex.policies.training.state import MovingAverage
from ambidex.policies.training.trainer import StopSignal, batches_of, seed_step


@dataclass(frozen=True, kw_only=True)
class Inner:
    names: tuple[str, ...] = ("a", "b")


@dataclass(frozen=True, kw_only=True)
class Settings:
    rate: float = 1.5
    size: tuple[int, int] = (3, 4)
    kind: Literal["x", "y"] = "y"
    file: Path | None = None
    on: bool = True
    inner: Inner = Inner()


@pytest.mark.parametrize("settings", [Settings(), Settings(file=Path("a/b"), inner=Inner(names=())), Settings(rate=2)])
def test_settings_survive_json(settings):
    assert from_json(Settings, to_json(settings)) == settings


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rate": "fast"}, "rate"),
        ({"size": [1, 2, 3]}, "size"),
        ({"size": [1, "2"]}, "size"),
        ({"kind": "z"}, "kind"),
        ({"on": 1}, "on"),
        ({"extra": 1}, "unknown field `extra`"),
        ({"inner": {}}, "missing field `inner.names`"),
        ({"file": 3}, "file"),
    ],
)
def test_settings_that_do_not_fit_are_refused_by_name(change, words):
    with pytest.raises(ValueError, match=words):
        from_json(Settings, {**to_json(Settings()), **change}, complete=True)


def test_the_rate_rises_then_falls_to_nothing_or_stays():
    cosine = [rate_factor(step, steps=100, warmup_steps=10, schedule="cosine") for step in range(100)]
    assert cosine[:10] == sorted(cosine[:10])
    assert cosine[0] > 0
    assert cosine[10] == 1.0
    assert cosine[10:] == sorted(cosine[10:], reverse=True)
    assert cosine[55] == pytest.approx(0.5)
    assert 0 < cosine[99] < 0.001
    constant = [rate_factor(step, steps=100, warmup_steps=0, schedule="constant") for step in (0, 50, 99)]
    assert constant == [1.0, 1.0, 1.0]


class Parts(nn.Module):
    def __init__(self):
        super().__init__()
        self.eye = nn.Conv2d(3, 4, 3)
        self.norm = nn.LayerNorm(4)
        self.table = nn.Embedding(5, 4)
        self.head = nn.Linear(4, 2)
        self.token = nn.Parameter(torch.randn(1, 1, 4))
        self.frozen = nn.Parameter(torch.randn(3, 3), requires_grad=False)

    def backbone_parameters(self):
        return list(self.eye.parameters())


def test_every_parameter_is_in_one_group_with_its_rate_and_decay():
    parts = Parts()
    optimizer = make_optimizer(parts, learning_rate=1e-3, backbone_learning_rate=1e-5, weight_decay=0.1)
    names = {id(parameter): name for name, parameter in parts.named_parameters()}
    found = {
        names[id(parameter)]: (group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    assert found == {
        "eye.weight": (1e-5, 0.1),
        "eye.bias": (1e-5, 0.0),
        "norm.weight": (1e-3, 0.0),
        "norm.bias": (1e-3, 0.0),
        "table.weight": (1e-3, 0.0),
        "head.weight": (1e-3, 0.1),
        "head.bias": (1e-3, 0.0),
        "token": (1e-3, 0.0),
    }
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(found)


def test_the_average_lags_behind_and_steps_in_and_out():
    parameter = nn.Parameter(torch.zeros(2))
    average = MovingAverage({"w": parameter}, 0.5)
    with torch.no_grad():
        parameter.fill_(1.0)
    for step in range(1000, 1003):  # long warm
        average.update(step)
    assert torch.allclose(average.values["w"], torch.full((2,), 1 - 0.5**3))
    with average.applied():
        assert torch.allclose(parameter, torch.full((2,), 0.875))
    assert torch.equal(parameter, torch.ones(2))


def test_a_cold_average_follows_at_once():
    parameter = nn.Parameter(torch.zeros(1))
    average = MovingAverage({"w": parameter}, 0.999)
    with torch.no_grad():
        parameter.fill_(1.0)
    average.update(0)
    assert float(average.values["w"]) == pytest.approx(0.9)


def test_noise_is_a_function_of_seed_step_and_rank():
    def draw(*place):
        seed_step(*place)
        return torch.rand(4)

    first = draw(0, 5, 0)
    assert torch.equal(draw(0, 5, 0), first)
    assert all(not torch.equal(draw(*place), first) for place in ((1, 5, 0), (0, 6, 0), (0, 5, 1)))


def test_the_watch_means_and_finds_the_first_bad_step():
    watch = LossWatch(torch.device("cpu"))
    for step, loss in enumerate((1.0, 3.0)):
        watch.add(step, {"loss": torch.tensor(loss), "l1": torch.tensor(2 * loss)})
    names, means = watch.take_means()
    assert (names, means.tolist()) == (("loss", "l1"), [2.0, 4.0])
    assert watch.first_bad_step() is None
    for step, loss in ((2, 5.0), (3, math.inf), (4, 1.0), (5, math.nan)):
        watch.add(step, {"loss": torch.tensor(1.0), "l1": torch.tensor(loss)})
    assert watch.first_bad_step() == 3


def test_the_clock_tells_parts_apart(monkeypatch):
    now = iter([0.0, 1.0, 3.0, 3.5, 9.0, 10.0, 20.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(now))
    clock = StepClock(torch.device("cpu"))
    for part in ("data", "forward_backward", "update", "validation", "data"):
        clock.mark(part)
    assert clock.read() == {"data": 2.0, "forward_backward": 2.0, "update": 0.5, "logging": 0.0}


def test_auto_is_what_the_machine_can(monkeypatch):
    cpu = torch.device("cpu")
    monkeypatch.setattr("ambidex.policies.training.distributed._cpu_has_bf16", lambda: True)
    assert choose_precision("auto", cpu) == "bf16"
    assert choose_precision("fp32", cpu) == "fp32"
    monkeypatch.setattr("ambidex.policies.training.distributed._cpu_has_bf16", lambda: False)
    assert choose_precision("auto", cpu) == "fp32"
    assert choose_device("cpu") == cpu


def test_a_gpu_becomes_current_before_it_is_used(monkeypatch):
    calls = []
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("torch.cuda.set_device", lambda device: calls.append(str(device)))
    monkeypatch.setattr("torch.empty", lambda size, device: calls.append("used"))
    assert str(choose_device("cuda", 1)) == "cuda:1"
    assert calls == ["cuda:1", "used"]


def test_a_resumed_log_drops_what_comes_after_its_step_and_nothing_else(tmp_path):
    for done in (0, 10):
        with TrainingLog(tmp_path, "toy", steps=20, done=done, quiet=True) as log:
            for step in (done + 5, done + 10, done + 15):
                log.scalars(step, {"loss/loss": float(done)})
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss/loss")] == [
        (5, 0.0), (10, 0.0), (15, 10.0), (20, 10.0), (25, 10.0),
    ]  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_interrupts(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), StopSignal() as stop:
        assert not stop.received
        signal.raise_signal(number)
        assert stop.received
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_a_batch_of_validation_is_spread_over_all_rows():
    batches = batches_of(np.arange(10), 4)
    assert [batch.tolist() for batch in batches] == [[0, 3, 6, 9], [1, 4, 7], [2, 5, 8]]
