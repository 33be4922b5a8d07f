"""`record-episodes --shard`: which attempts a shard makes, how it is resumed, and what is refused."""

from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest
from recording_fakes import STATES, FakeAgent, contents, record_to
from sharded_recording import InterruptedAgent, exit_status, record_shards, snapshot

from ambidex.errors import UsageError
from ambidex.recorders.dataset.attempts import read_attempts
from ambidex.recorders.dataset.dataset import read
from ambidex.recorders.dataset.info import DatasetInfo
from ambidex.recorders.inspect_dataset import main as inspect_main
from ambidex.recorders.record_episodes import main
from ambidex.recorders.recording.record import dataset_directories
from ambidex.recorders.verify_episodes import main as verify_main


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Three shards of four attempts, of which two succeed."""
    return record_shards(tmp_path_factory.mktemp("shards"), 3, STATES)


def test_the_shards_make_the_first_attempts_and_replace_no_failure(shards):
    seeds = [[attempt.seed for attempt in read_attempts(shard)] for shard in shards]
    assert sorted(chain.from_iterable(seeds)) == [0, 1, 2, 3] and all(each == sorted(each) for each in seeds)
    for shard, each in zip(shards, seeds, strict=True):
        info = DatasetInfo.read(shard)
        assert info.complete and list(info.seeds) == each
    assert sum(len(read(shard)) for shard in shards) == 1


def test_a_shard_is_resumed_without_naming_it(tmp_path, monkeypatch):
    monkeypatch.setattr("ambidex.recorders.recording.record._expert_factory", lambda config: FakeAgent)
    config = replace(STATES, num_episodes=8, workers=0)
    with pytest.raises(KeyboardInterrupt):
        record_to(tmp_path / "shard", config, InterruptedAgent, shard="02/3")
    assert exit_status(main, "--resume", "--output-dir", tmp_path / "shard", "--workers", 0, "--quiet") == 0
    record_to(tmp_path / "at_once", config, shard="2/3")
    assert contents(tmp_path / "shard") == contents(tmp_path / "at_once")
    assert DatasetInfo.read(tmp_path / "shard").complete


def test_folders_of_shards_do_not_collide():
    for task, names in (("insertion", {"insertion"}), ("aloha", {"transfer_cube", "insertion"})):
        config = replace(STATES, task=task)
        sharded = [dataset_directories(replace(config, shard=f"{index}/16")) for index in range(1, 17)]
        folders = [*chain.from_iterable(each.values() for each in sharded), *dataset_directories(config).values()]
        assert len(set(folders)) == 17 * len(names)
        assert Path("data") / f"{task}-shard-3-of-16" in {folders[2 * len(names)], folders[2 * len(names)].parent}


def test_a_shard_is_a_dataset_that_says_which_it_is(shards, tmp_path, capsys):
    shard = next(shard for shard in shards if len(read(shard)))
    note = f"Note: {shard} is shard {shards.index(shard) + 1} of 3 of a recording; merge-datasets joins shards."
    record_to(tmp_path / "single", STATES, workers=0, num_episodes=1)
    for words in ([inspect_main], [verify_main, "--workers", 0, "--no-ee"]):
        exit_status(*words, shard)
        assert note in capsys.readouterr().out.splitlines()
        exit_status(*words, tmp_path / "single")
        assert "is shard" not in capsys.readouterr().out


@pytest.mark.parametrize("shard", ["0/4", "5/4", "x", "3"])
def test_what_is_no_shard_is_refused(shard, tmp_path, capsys):
    words = ["--task", "insertion", "--shard", shard, "--output-dir", tmp_path / "data"]
    assert exit_status(main, *words) == 2
    assert f"--shard {shard}: expected I/N" in capsys.readouterr().err and not (tmp_path / "data").exists()


def test_shards_that_cannot_be_recorded_are_refused(tmp_path):
    with pytest.raises(UsageError, match="convert-dataset --format lerobot"):
        record_to(tmp_path / "data", STATES, shard="1/2", format="lerobot")
    for shard in ("1/5", "5/5"):
        with pytest.raises(UsageError, match=r"there are more shards than attempts \(4\)"):
            record_to(tmp_path / "data", STATES, shard=shard)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"num_episodes": 5}, "--num-episodes was 4, now 5"),
        ({"shard": "2/3"}, "--shard was 1/3, now 2/3"),
        ({"shard": None}, "--shard was 1/3, now auto"),
    ],
)
def test_a_shard_is_resumed_as_it_was_begun(change, difference, shards):
    before = snapshot(shards[0])
    with pytest.raises(UsageError) as error:
        record_to(shards[0], STATES, resume=True, workers=0, **{"shard": "1/3", **change})
    assert difference in error.value.facts["differences"] and snapshot(shards[0]) == before
