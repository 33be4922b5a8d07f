"""The shards of a recording, merged and resumed, are the dataset of a single run, byte for byte."""

from dataclasses import replace

import libero_recording
import pytest
from recording_fakes import SMALL, STATES, FakeAgent, contents, record_to
from sharded_recording import InterruptedAgent, LuckyAgent, LuckyLiberoAgent, record_shards, snapshot

from ambidex.recorders.dataset.attempts import read_attempts
from ambidex.recorders.dataset.info import DatasetInfo
from ambidex.recorders.merging.merge import merge
from ambidex.recorders.recording.shards import REMAINING

FAILING = replace(STATES, num_episodes=5, keep_failures=True, workers=0)  # of the first five attempts two succeed
ACT = replace(SMALL, num_episodes=5, keep_failures=True, video="all", workers=0)
LIBERO = replace(libero_recording.CONFIG, num_episodes=5, video="first", cameras=("agentview",), workers=0)


class Recordings:
    """A single run and the shards of the same episodes, of one format; do not change them."""

    def __init__(self, folder, config, agent, count=3):
        self.config, self.agent, self.single = config, agent, folder / "single"
        self.record(self.single)
        self.shards = record_shards(folder, count, config, agent)

    def record(self, directory, **changes):
        return record_to(directory, self.config, self.agent, **changes)


@pytest.fixture(scope="module", params=["act", "libero"])
def recorded(request, tmp_path_factory):
    config, agent = {"act": (ACT, FakeAgent), "libero": (LIBERO, libero_recording.FakeAgent)}[request.param]
    return Recordings(tmp_path_factory.mktemp(request.param), config, agent)


@pytest.mark.parametrize(("config", "agent"), [(ACT, LuckyAgent), (LIBERO, LuckyLiberoAgent)], ids=["act", "libero"])
def test_if_every_attempt_succeeds_the_merged_shards_are_the_single_run(config, agent, tmp_path):
    recorded = Recordings(tmp_path, replace(config, num_episodes=2), agent, count=2)
    (summary,) = merge(recorded.shards, tmp_path / "merged")
    assert summary.info.complete and summary.info.episodes == summary.sources == 2
    assert contents(tmp_path / "merged") == contents(recorded.single)


def test_failures_are_replaced_by_resuming(recorded, tmp_path):
    before = snapshot(*recorded.shards)
    (summary,) = merge([recorded.shards[i] for i in (2, 0, 1)], tmp_path / "merged")
    assert not summary.info.complete and summary.info.seeds == ()
    assert [attempt.seed for attempt in read_attempts(tmp_path / "merged")] == list(range(5))
    (resumed,) = recorded.record(tmp_path / "merged", resume=True)
    assert resumed.complete and resumed.attempts == 12
    assert contents(tmp_path / "merged") == contents(recorded.single)
    assert snapshot(*recorded.shards) == before


def test_a_missing_shard_is_recorded_by_resuming(recorded, tmp_path):
    merge(recorded.shards[1:], tmp_path / "merged")
    attempted = DatasetInfo.read(tmp_path / "merged").seeds
    assert attempted == tuple(sorted({*range(5)} - {attempt.seed for attempt in read_attempts(recorded.shards[0])}))
    (resumed,) = recorded.record(tmp_path / "merged", resume=True)
    assert resumed.complete and resumed.written > 0
    assert contents(tmp_path / "merged") == contents(recorded.single)


def test_merged_shards_can_be_merged_with_further_ones(recorded, tmp_path):
    merge(recorded.shards[::2], tmp_path / "two")
    merge([tmp_path / "two", recorded.shards[1]], tmp_path / "three")
    merge(recorded.shards, tmp_path / "all")
    assert contents(tmp_path / "three") == contents(tmp_path / "all")


def test_an_interrupted_shard_and_an_interrupted_completion(tmp_path):
    single = tmp_path / "single"
    record_to(single, FAILING)
    with pytest.raises(KeyboardInterrupt, match="of 2 episodes are stored"):
        record_to(tmp_path / "1", FAILING, InterruptedAgent, shard="1/3")
    assert len(read_attempts(tmp_path / "1")) == 1
    record_to(tmp_path / "3", FAILING, shard="3/3")
    merged = tmp_path / "merged"
    merge([tmp_path / "1", tmp_path / "3"], merged)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt, match=REMAINING):
            record_to(merged, FAILING, InterruptedAgent, resume=True)
    record_to(merged, FAILING, resume=True)
    assert contents(merged) == contents(single) and not (merged / REMAINING).exists()
