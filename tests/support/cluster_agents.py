"""Agents and workers for tests on simulated nodes. Actors import this module too."""

import os
import threading
import time
from pathlib import Path

from benchmarking_fakes import FIRST, FakeAgent


class StuckOnceAgent(FakeAgent):
    """Writes the id of its node into a file in its second episode and waits to be killed; once."""

    def __init__(self, marker, env):
        super().__init__(env)
        self._marker = Path(marker)

    def reset(self, observation, seed):
        super().reset(observation, seed)
        if seed == FIRST + 1 and not self._marker.exists():
            import ray

            self._marker.write_text(ray.get_runtime_context().get_node_id())
            time.sleep(600)


class Worker:
    """Makes of a job what the job's name says."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, job):
        return getattr(self, job)()

    def node(self):
        import ray

        return ray.get_runtime_context().get_node_id()

    def unpicklable(self):
        return threading.Lock()

    def die(self):
        os._exit(1)


def broken_worker(folder):
    raise RuntimeError("no licence")
