"""Agents of short episodes, which leave something behind in their worker process or nothing."""

import os
import tempfile
import threading
import time
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory

from still_agent import StillAgent

MEGABYTE = 2**20
KEPT = []


class SteadyAgent(StillAgent):
    """An episode takes longer than the time between two looks at the process, on any machine."""

    def act(self, observation):
        time.sleep(0.01)
        return super().act(observation)


class LeakingAgent(SteadyAgent):
    """Keeps memory, an open file, a thread, a temporary file and a shared memory segment of every episode."""

    def reset(self, observation, seed):
        KEPT.append(bytearray(b"1" * MEGABYTE))
        KEPT.append(os.open(os.devnull, os.O_RDONLY))
        os.close(tempfile.mkstemp()[0])
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        segment = SharedMemory(create=True, size=1, name=f"ambidex-leak-{os.getpid()}-{seed}")
        resource_tracker.unregister(segment._name, "shared_memory")  # else it is removed when the worker ends
        segment.close()
