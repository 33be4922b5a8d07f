"""Shares of the phases of a control step."""

import time

import mujoco
import pytest

from ambidex.benchmarks.studies.step_shares import (
    MUJOCO,
    PHASES,
    PhaseClock,
    StepSharesConfig,
    main,
    step_times,
    table_row,
)
from ambidex.envs.env import make
from ambidex.scripted_policies.registry import make_expert


@pytest.fixture
def clock(monkeypatch):
    """A clock whose time advances by the numbers that functions sleep."""
    now = [0.0]
    monkeypatch.setattr(time, "process_time", lambda: now[0])
    clock = PhaseClock()
    clock.sleep = lambda seconds: now.__setitem__(0, now[0] + seconds)
    return clock


def test_a_phase_does_not_count_the_phases_within_it(clock):
    inner = clock.timed("inner", lambda: clock.sleep(2.0), within=("outer",))
    outer = clock.timed("outer", lambda: (clock.sleep(1.0), inner(), clock.sleep(4.0)))
    clock.sleep(8.0)
    outer()
    assert clock.seconds == {"outer": 5.0, "inner": 2.0}


def test_a_call_outside_of_the_phases_that_were_named_counts_as_its_surroundings(clock):
    physics = clock.timed("physics", lambda: clock.sleep(2.0), within=("step",))
    clock.timed("plan", physics)()
    clock.timed("step", physics)()
    assert clock.seconds == {"plan": 2.0, "step": 0.0, "physics": 2.0}


def test_a_phase_ends_with_an_error(clock):
    def fail():
        clock.sleep(1.0)
        raise ValueError

    with pytest.raises(ValueError):
        clock.timed("failing", fail)()
    assert clock.phase == "" and clock.seconds == {"failing": 1.0}


def test_every_phase_of_an_episode_is_measured():
    env, step = make("transfer_cube", cameras=(), horizon=12), mujoco.mj_step
    times = step_times(env, make_expert(env), range(1))
    assert list(times) == list(PHASES) and min(times.values()) > 0
    assert mujoco.mj_step is step


def test_a_row_has_the_time_of_a_step_and_shares_of_it():
    times = dict.fromkeys(PHASES, 100.0) | {MUJOCO: 500.0}
    assert table_row("insertion", times).startswith("| insertion | 1,200 | 8 % | 8 % | 42 % |")


def test_a_policy_takes_the_place_of_the_expert(capsys, monkeypatch):
    used = []
    monkeypatch.setattr(
        "ambidex.benchmarks.studies.step_shares._policy_agent",
        lambda checkpoint, env: used.append(checkpoint) or make_expert(env),
    )
    monkeypatch.setattr("ambidex.benchmarks.studies.step_shares.step_times", lambda *given: dict.fromkeys(PHASES, 1.0))
    main(StepSharesConfig(task=("transfer_cube",), checkpoint="runs/act"))
    assert used == ["runs/act"] and "| transfer_cube | 8 |" in capsys.readouterr().out
