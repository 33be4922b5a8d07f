"""Agents with known outcomes, and helpers for tests of benchmarks. Worker processes import this module too."""

import json
import os
import signal
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.evaluation.config import BenchmarkConfig

HORIZON = 12  # just more than the hold time of success
FIRST = 100_000
HOLD = BenchmarkConfig(policy="hold", task="insertion", episodes=5, video="none", workers=0, quiet=True)


class FakeAgent:
    """Of five seeds in a row the second and fifth succeed, and the third raises an error."""

    def __init__(self, env):
        env.spec = replace(env.spec, horizon=HORIZON)
        env.task.checks = lambda scene: {"lucky": self._lucky}

    def reset(self, observation, seed):
        self._lucky = seed % 5 in (1, 4)
        self._kind = seed % 5
        self._goal = observation.qpos + np.random.default_rng(seed).normal(0, 0.1, observation.qpos.shape)

    def act(self, observation):
        if self._kind == 2:
            raise RuntimeError("the gripper fell off")
        return self._goal.astype(np.float32)


class LuckyAgent(FakeAgent):
    """Every seed succeeds."""

    def reset(self, observation, seed):
        super().reset(observation, seed)
        self._lucky, self._kind = True, 1


class NanAgent(FakeAgent):
    """Like FakeAgent, but the fourth of five seeds sends NaN."""

    def act(self, observation):
        action = super().act(observation)
        return action * np.nan if self._kind == 3 else action


class DyingAgent(FakeAgent):
    """Kills its worker process, DYING_AGENT_TIMES times."""

    def reset(self, observation, seed):
        super().reset(observation, seed)
        marker = Path(os.environ["DYING_AGENT_MARKER"])
        deaths = marker.stat().st_size if marker.exists() else 0
        if seed == FIRST + 3 and deaths < int(os.environ["DYING_AGENT_TIMES"]):
            with marker.open("a") as file:
                file.write("x")
            os.kill(os.getpid(), signal.SIGKILL)


def run_into(directory, config=HOLD, agent=FakeAgent, **changes):
    return benchmark(replace(config, output_dir=directory, **changes), agent_factory=agent)


def interrupted_run(directory, config, monkeypatch, *, after, **changes):
    """Run with FakeAgent, and interrupt it (Ctrl-C) when `after` episodes are stored."""
    reset, episodes = FakeAgent.reset, count()

    def interrupting_reset(agent, observation, seed):
        if next(episodes) == after:
            raise KeyboardInterrupt
        reset(agent, observation, seed)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt, match=f"{after} of .* are stored"):
        patched.setattr(FakeAgent, "reset", interrupting_reset)
        run_into(directory, config, **changes)


def rows_of(directory):
    """The rows by task and seed, without the wall time, which differs from run to run."""
    rows = [json.loads(line) for line in (directory / "results.jsonl").read_text().splitlines()]
    return sorted((row | {"wall_s": None} for row in rows), key=lambda row: (row["task"], row["seed"]))


def arrays_of(directory):
    """File name -> name -> array, of all files of states."""
    found = {}
    for path in sorted((directory / "states").rglob("*.npz")):
        with np.load(path, allow_pickle=False) as arrays:
            found[str(path.relative_to(directory))] = {name: arrays[name] for name in arrays}
    return found


def assert_same_results(one, other):
    """Assert equal rows, and bitwise equal states, actions and stages."""
    assert rows_of(one) == rows_of(other)
    first, second = arrays_of(one), arrays_of(other)
    assert list(first) == list(second) and first
    for name, arrays in first.items():
        assert list(arrays) == list(second[name])
        for key, values in arrays.items():
            np.testing.assert_array_equal(values, second[name][key], err_msg=f"{name}: {key}")
