import signal

import numpy as np
import pytest
import torch

from ambidex.command_line import interrupt_once
from ambidex.policies.training.distributed import choose_device, choose_precision
from ambidex.policies.training.trainer import StopSignal, batches_of, seed_step
from ambidex.worker_pool.ending import STOP_SIGNALS


def test_noise_is_a_function_of_seed_step_and_rank():
    def draw(*place):
        seed_step(*place)
        return torch.rand(4)

    first = draw(0, 5, 0)
    assert torch.equal(draw(0, 5, 0), first)
    assert all(not torch.equal(draw(*place), first) for place in ((1, 5, 0), (0, 6, 0), (0, 5, 1)))


@pytest.mark.parametrize("number", sorted(STOP_SIGNALS))
def test_the_first_signal_is_recorded_the_second_interrupts_and_later_ones_are_ignored(number):
    before, cleaned_up = signal.getsignal(number), False
    with pytest.raises(KeyboardInterrupt), StopSignal() as stop:
        assert not stop.received
        signal.raise_signal(number)
        assert stop.received
        try:
            signal.raise_signal(number)
        finally:
            signal.raise_signal(number)
            cleaned_up = True
    assert cleaned_up and signal.getsignal(number) is before


def test_a_signal_that_was_ignored_before_stays_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with StopSignal() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert not stop.received
    finally:
        signal.signal(signal.SIGHUP, before)


def test_after_a_signal_a_command_cleans_up_undisturbed():
    before = {each: signal.signal(each, interrupt_once) for each in STOP_SIGNALS}
    try:
        with StopSignal():
            signal.raise_signal(signal.SIGTERM)
        assert {signal.getsignal(each) for each in STOP_SIGNALS} == {signal.SIG_IGN}
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


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
