"""Recording of a LIBERO task with an agent whose outcomes are known. Worker processes import it too.

As a program it records, or resumes: DIRECTORY WORKERS EPISODES.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from ambidex.recorders.recording.config import RecordConfig
from ambidex.recorders.recording.record import record

CONFIG = RecordConfig(task="libero_goal/1", num_episodes=4, image_size=(24, 32), quiet=True, keep_failures=True)
HELD = 10  # steps that strict success has to hold


class FakeAgent:
    """Moves anywhere. Of five seeds two succeed, two fail and one raises an error."""

    def __init__(self, env):
        env.spec = replace(env.spec, horizon=HELD + 2)
        env.task.checks = lambda scene: {"lucky": self._lucky}

    def reset(self, observation, seed):
        self._lucky = seed % 5 in (1, 4)
        self._raises = seed % 5 == 2
        self._action = np.random.default_rng(seed).uniform(-0.5, 0.5, 7).astype(np.float32)

    def act(self, observation):
        if self._raises:
            raise RuntimeError("the gripper fell off")
        return self._action


def record_to(directory, **changes):
    return record(replace(CONFIG, output_dir=directory, **changes), agent_factory=FakeAgent)


if __name__ == "__main__":
    folder, workers, episodes = sys.argv[1:]
    record_to(Path(folder), workers=int(workers), num_episodes=int(episodes), resume=True)
