"""Recordings in shards, with agents whose outcomes are known."""

import libero_recording
import pytest
from recording_fakes import FakeAgent, record_to


class LuckyAgent(FakeAgent):
    """Every episode succeeds."""

    def reset(self, observation, seed):
        super().reset(observation, seed)
        self._lucky, self._raises = True, False


class LuckyLiberoAgent(libero_recording.FakeAgent):
    """Every episode succeeds."""

    def reset(self, observation, seed):
        super().reset(observation, seed)
        self._lucky, self._raises = True, False


class InterruptedAgent(FakeAgent):
    """Ctrl-C comes when it begins its second episode."""

    def __init__(self, env):
        super().__init__(env)
        self._episodes = 0

    def reset(self, observation, seed):
        super().reset(observation, seed)
        self._episodes += 1
        if self._episodes == 2:
            raise KeyboardInterrupt


def record_shards(folder, count, config, agent=FakeAgent):
    """Record all shards, each into a folder named after its number; returns the folders."""
    for index in range(1, count + 1):
        record_to(folder / str(index), config, agent, workers=0, shard=f"{index}/{count}")
    return [folder / str(index) for index in range(1, count + 1)]


def snapshot(*folders):
    return {path: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def exit_status(main, *words):
    with pytest.raises(SystemExit) as end:
        main(list(map(str, words)))
    return end.value.code
