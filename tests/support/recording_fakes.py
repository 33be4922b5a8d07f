"""Agents whose outcomes are known, for tests of recording. Worker processes import them too.

As a program it records, or resumes, with `FakeAgent`: DIRECTORY WORKERS EPISODES [FORMAT].
"""

import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from ambidex.recorders.recording.config import RecordConfig
from ambidex.recorders.recording.record import record

HORIZON = 12  # just more than success has to hold
SMALL = RecordConfig(task="insertion", num_episodes=4, image_size=(24, 32), cameras=("top",), quiet=True)
STATES = replace(SMALL, cameras=())


class FakeAgent:
    """Moves anywhere. Of five seeds two succeed, two fail and one raises an error."""

    def __init__(self, env):
        env.spec = replace(env.spec, horizon=HORIZON)
        env.task.checks = lambda scene: {"lucky": self._lucky}

    def reset(self, observation, seed):
        self._lucky = seed % 5 in (1, 4)
        self._raises = seed % 5 == 2
        self._goal = observation.qpos + np.random.default_rng(seed).normal(0, 0.1, observation.qpos.shape)

    def act(self, observation):
        if self._raises:
            raise RuntimeError("the gripper fell off")
        return self._goal.astype(np.float32)


class RaisingAgent:
    def __init__(self, env):
        pass

    def reset(self, observation, seed):
        raise RuntimeError(f"no plan for {seed}")


class FailingAgent(FakeAgent):
    def reset(self, observation, seed):
        super().reset(observation, seed)
        self._lucky = self._raises = False


class DyingAgent(FakeAgent):
    """Kills its worker process at seed 3, as often as DYING_AGENT_TIMES says."""

    def reset(self, observation, seed):
        super().reset(observation, seed)
        marker = Path(os.environ["DYING_AGENT_MARKER"])
        deaths = marker.stat().st_size if marker.exists() else 0
        if seed == 3 and deaths < int(os.environ.get("DYING_AGENT_TIMES", "1")):
            with marker.open("a") as file:
                file.write("x")
            os.kill(os.getpid(), signal.SIGKILL)


def record_to(directory, config=SMALL, agent=FakeAgent, **changes):
    return record(replace(config, output_dir=directory, **changes), agent_factory=agent)


def contents(directory):
    """File name -> its bytes, without what is allowed to differ from run to run."""
    files = {str(p.relative_to(directory)): p.read_bytes() for p in directory.rglob("*") if p.is_file()}
    info = json.loads(files.pop("dataset.json"))
    rows = [json.loads(line) for line in files.pop("attempts.jsonl").splitlines()]
    return {**files, "info": info | {"timings": None}, "rows": [row | {"wall_s": None} for row in rows]}


def record_as_program(directory, workers, episodes, file_format=None):
    """Record or resume as this module does as a program."""
    flags = {"keep_failures": True, "resume": True, "format": file_format}
    record_to(Path(directory), workers=int(workers), num_episodes=int(episodes), **flags)


if __name__ == "__main__":
    record_as_program(*sys.argv[1:])
