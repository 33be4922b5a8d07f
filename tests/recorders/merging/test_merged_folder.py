"""Merged datasets: suites, missing files, what the command prints, and what an interruption leaves."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from recording_fakes import STATES, FailingAgent, FakeAgent, contents, record_to
from sharded_recording import LuckyAgent, exit_status, record_shards, snapshot

from ambidex.errors import UsageError
from ambidex.recorders.dataset.attempts import read_attempts
from ambidex.recorders.dataset.dataset import read
from ambidex.recorders.dataset.files import accept_missing
from ambidex.recorders.dataset.info import DatasetInfo
from ambidex.recorders.merge_datasets import main
from ambidex.recorders.merging.merge import merge
from ambidex.recorders.record_episodes import main as record_main

LUCKY = replace(STATES, num_episodes=4, workers=0)


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Three shards of four attempts, of which two succeed."""
    return record_shards(tmp_path_factory.mktemp("shards"), 3, STATES)


def test_the_shards_of_a_suite_cover_its_attempts_and_are_merged_task_by_task(tmp_path, monkeypatch):
    """More shards than episodes of a task: some have no attempt of a task, whose folder is then missing."""
    config = replace(STATES, task="aloha", num_episodes=2, workers=0)
    record_to(tmp_path / "single", config, LuckyAgent)
    record_shards(tmp_path, 3, config, LuckyAgent)
    folders = sorted(path.relative_to(tmp_path) for path in tmp_path.glob("[123]/*"))
    assert len(folders) == 4  # of the six that there would be
    summaries = merge([tmp_path / str(index) for index in range(1, 4)], tmp_path / "merged")
    assert {summary.info.env_spec.task for summary in summaries} == {"insertion", "transfer_cube"}
    for task in ("insertion", "transfer_cube"):
        assert contents(tmp_path / "merged" / task) == contents(tmp_path / "single" / task)
    before = {folder: contents(tmp_path / folder) for folder in folders}
    for folder in folders:  # of which a shard of that task alone would have other seeds
        record_to(tmp_path / folder, config, LuckyAgent, task=folder.name, shard=f"{folder.parent}/3", resume=True)
    assert {folder: contents(tmp_path / folder) for folder in folders} == before


def test_the_command_prints_what_is_left_to_do(shards, tmp_path, capsys, monkeypatch):
    merged = tmp_path / "merged"
    assert exit_status(main, *shards, "--output-dir", merged) == 1
    out, err = capsys.readouterr()
    assert f"1 episode of 4 attempts from 3 folders in {merged}" in out and "missing" not in err
    command = shlex.split(err.partition("Record the others with: ")[2])
    assert command == ["record-episodes", "--resume", "--output-dir", str(merged)]
    monkeypatch.setattr("ambidex.recorders.recording.record._expert_factory", lambda config: FakeAgent)
    assert exit_status(record_main, *command[1:], "--workers", 0, "--quiet") == 0
    record_to(tmp_path / "single", STATES, workers=0)
    assert contents(merged) == contents(tmp_path / "single")


def test_the_command_names_the_shard_that_is_missing(shards, tmp_path, capsys):
    assert exit_status(main, *shards[1:], "--output-dir", tmp_path / "merged") == 1
    assert "Shard 1 of 3 is missing." in capsys.readouterr().err


def test_an_episode_removed_on_purpose_stays_removed(tmp_path):
    record_shards(tmp_path, 2, LUCKY, LuckyAgent)
    seed = read_attempts(tmp_path / "2")[1].seed
    (tmp_path / "2" / "episode_1.hdf5").unlink()
    assert accept_missing(tmp_path / "2") == (1,)
    (summary,) = merge([tmp_path / "1", tmp_path / "2"], tmp_path / "merged")
    assert summary.info.removed == (seed,) and summary.info.complete
    assert len(read(tmp_path / "merged")) == 3


def test_an_episode_whose_file_is_missing_is_recorded_again(tmp_path):
    record_to(tmp_path / "single", LUCKY, LuckyAgent)
    record_shards(tmp_path, 2, LUCKY, LuckyAgent)
    (tmp_path / "2" / "episode_1.hdf5").unlink()
    (summary,) = merge([tmp_path / "1", tmp_path / "2"], tmp_path / "merged")
    assert not summary.info.complete and summary.info.episodes == 3
    record_to(tmp_path / "merged", LUCKY, LuckyAgent, resume=True)
    assert contents(tmp_path / "merged") == contents(tmp_path / "single")


def test_shards_without_a_success_are_merged_too(tmp_path):
    record_shards(tmp_path, 2, replace(STATES, num_episodes=2), FailingAgent)
    (summary,) = merge([tmp_path / "1", tmp_path / "2"], tmp_path / "merged")
    assert (summary.info.attempts, summary.info.episodes) == (2, 0)


def test_on_another_file_system_files_are_copied(shards, tmp_path, monkeypatch):
    def refuse(self, target):
        raise OSError(18, "Invalid cross-device link")

    merge(shards, tmp_path / "linked")
    monkeypatch.setattr(Path, "hardlink_to", refuse)
    merge(shards, tmp_path / "copied")
    assert contents(tmp_path / "copied") == contents(tmp_path / "linked")
    assert {path.stat().st_nlink for path in (tmp_path / "copied").glob("*.hdf5")} == {1}


def test_an_interrupted_merge_leaves_nothing(shards, tmp_path, monkeypatch):
    def interrupted(self, directory):
        raise KeyboardInterrupt

    monkeypatch.setattr(DatasetInfo, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        merge(shards, tmp_path / "merged")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_content_is_not_written(shards, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    for target in (tmp_path, shards[0]):
        before = snapshot(target)
        with pytest.raises(UsageError, match="not empty"):
            merge(shards, target)
        assert snapshot(target) == before


@pytest.mark.parametrize(
    ("words", "missing"), [(["shard"], "--output-dir"), (["--output-dir", "merged"], "No path is given")]
)
def test_paths_and_output_folder_are_required(words, missing, capsys):
    assert exit_status(main, *words) == 2
    assert missing in capsys.readouterr().err
