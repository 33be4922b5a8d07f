"""Recording in LIBERO's world with an agent whose fate is known. Worker processes import it too."""

from dataclasses import replace

import numpy as np

from ambidex.recorders.recording.config import RecordConfig
from ambidex.recorders.recording.record import record

CONFIG = RecordConfig(task="libero_goal/1", num_episodes=4, image_size=(24, 32), quiet=True, keep_failures=True)
HELD = 10  # steps that strict success has to hold


class FakeAgent:
    """Moves somewhere; two of five seeds succeed, one breaks, and a third sends what no step is."""

    def __init__(self, env):
        env.spec = replace(env.spec, horizon=HELD + 2)
        env.task.checks = lambda scene: {"lucky": self._lucky}

    def reset(self, observation, seed):
        self._lucky = seed % 5 in (1, 4)
        self._breaks = seed % 5 == 2
        self._action = np.random.default_rng(seed).uniform(-0.5, 0.5, 7).astype(np.float32)

    def act(self, observation):
        if self._breaks:
            raise RuntimeError("the gripper fell off")
        return self._action


def record_to(directory, **changes):
    return record(replace(CONFIG, output_dir=directory, **changes), FakeAgent)
