import dataclasses
import math

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from training_runs import settings

from ambidex.errors import UsageError
from ambidex.policies.training.train import train
from ambidex.policies.training.training_log import LossMonitor, StepClock, TrainingLog


def printed(capsys, config):
    train(dataclasses.replace(config, quiet=False))
    return capsys.readouterr().err


@pytest.mark.usefixtures("toy", "one_thread")
def test_the_end_is_printed_step_by_step_with_the_loss(states, tmp_path, capsys):
    lines = printed(capsys, settings(states, tmp_path / "run", steps=5, log_every=50, save_every=50)).splitlines()
    saving, validating, validation = lines[-3:]
    assert validating.startswith("toy: 5/5, ") and ", loss " in validating and validating.endswith(", validating")
    assert validation.startswith("validation after step 5: loss ") and ", action error " in validation
    assert saving.startswith("toy: 5/5, ") and saving.endswith(", saving")


@pytest.mark.usefixtures("toy", "one_thread")
def test_each_validation_is_one_line(states, tmp_path, capsys):
    output = printed(capsys, settings(states, tmp_path / "run"))
    assert [step for step in (5, 10, 15, 20) if f"validation after step {step}: " in output] == [10, 20]


@pytest.mark.usefixtures("toy", "one_thread")
def test_without_held_out_episodes_there_is_no_validation(states, tmp_path, capsys):
    assert "validati" not in printed(capsys, settings(states, tmp_path / "run", steps=5, validation_fraction=0.0))


@pytest.mark.usefixtures("toy", "one_thread")
def test_a_warm_up_that_does_not_end_gives_a_warning_with_the_flag(states, tmp_path, capsys):
    config = settings(states, tmp_path / "short", steps=20, warmup_steps=20)
    line = "The learning rate rises over 20 steps, and this run has 20: give --warmup-steps 2."
    assert printed(capsys, config).count(line) == 1
    assert line not in printed(capsys, dataclasses.replace(config, resume=True))
    other = dataclasses.replace(config, output_dir=tmp_path / "longer", warmup_steps=19)
    assert "rises over" not in printed(capsys, other)


def test_the_monitor_averages_losses_and_finds_the_first_bad_step():
    monitor = LossMonitor(torch.device("cpu"))
    for step, loss in enumerate((1.0, 3.0)):
        monitor.add(step, {"loss": torch.tensor(loss), "l1": torch.tensor(2 * loss)})
    names, means = monitor.take_means()
    assert (names, means.tolist()) == (("loss", "l1"), [2.0, 4.0])
    assert monitor.first_bad_step() is None
    for step, loss in ((2, 5.0), (3, math.inf), (4, 1.0), (5, math.nan)):
        monitor.add(step, {"loss": torch.tensor(1.0), "l1": torch.tensor(loss)})
    assert monitor.first_bad_step() == 3


def test_loss_terms_that_change_are_refused():
    monitor = LossMonitor(torch.device("cpu"))
    one = torch.tensor(1.0)
    monitor.add(1, {"loss": one, "l1": one})
    with pytest.raises(UsageError) as caught:
        monitor.add(2, {"loss": one})
    assert (caught.value.facts["got"], caught.value.facts["expected"]) == (("loss",), ("loss", "l1"))


def test_the_clock_measures_each_part_of_a_step(monkeypatch):
    now = iter([0.0, 1.0, 3.0, 3.5, 9.0, 10.0, 20.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(now))
    clock = StepClock(torch.device("cpu"))
    for part in ("data", "forward_backward", "update", "validation", "data"):
        clock.mark(part)
    assert clock.read() == {"data": 2.0, "forward_backward": 2.0, "update": 0.5, "logging": 0.0}


def test_a_resumed_log_drops_only_the_entries_after_its_step(tmp_path):
    for done in (0, 10):
        with TrainingLog(tmp_path, "toy", steps=20, done=done, quiet=True) as log:
            for step in (done + 5, done + 10, done + 15):
                log.scalars(step, {"loss/loss": float(done)})
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss/loss")] == [
        (5, 0.0), (10, 0.0), (15, 10.0), (20, 10.0), (25, 10.0),
    ]  # fmt: skip
