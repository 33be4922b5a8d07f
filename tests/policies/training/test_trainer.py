import signal

import numpy as np
import pytest
import torch

from ambidex.policies.training.distributed import choose_device, choose_precision
from ambidex.policies.training.trainer import StopSignal, batches_of, seed_step


def test_noise_is_a_function_of_seed_step_and_rank():
    def draw(*place):
        seed_step(*place)
        return torch.rand(4)

    first = draw(0, 5, 0)
    assert torch.equal(draw(0, 5, 0), first)
    assert all(not torch.equal(draw(*place), first) for place in ((1, 5, 0), (0, 6, 0), (0, 5, 1)))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_recorded_and_the_second_interrupts(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), StopSignal() as stop:
        assert not stop.received
        signal.raise_signal(number)
        assert stop.received
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_each_validation_batch_is_spread_over_all_rows():
    batches = batches_of(np.arange(10), 4)
    assert [batch.tolist() for batch in batches] == [[0, 3, 6, 9], [1, 4, 7], [2, 5, 8]]


def test_auto_precision_depends_on_the_processor(monkeypatch):
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
