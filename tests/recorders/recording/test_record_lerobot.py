"""Recording LeRobot datasets: an interrupted run, failures, and what trains on the result."""

import shutil

import pytest
from recording_fakes import SMALL, contents, record_to

from ambidex.policies.data.dataset import read_tables
from ambidex.recorders.dataset.dataset import Dataset
from ambidex.recorders.dataset.files import accept_missing
from ambidex.recorders.verification.checks import Verification
from ambidex.recorders.verification.verify import verify

SETTINGS = {"format": "lerobot", "keep_failures": True, "workers": 0, "num_episodes": 3}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    directory = tmp_path_factory.mktemp("recorded") / "data"
    record_to(directory, SMALL, **SETTINGS)
    return directory


def test_a_killed_run_loses_no_finished_episode_and_is_resumed_with_the_same_bytes(recorded, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("ambidex.recorders.formats.lerobot.format.LeRobotFormat.finish", interrupt)
        with pytest.raises(KeyboardInterrupt):
            record_to(tmp_path, SMALL, **SETTINGS)
    (tmp_path / "ambidex/episode_1.hdf5").unlink()  # killed between its videos and its file
    leftover = tmp_path / "videos/observation.images.top/chunk-000/.file-001.mp4.tmp-1"
    leftover.write_bytes(b"half")
    assert len(Dataset(tmp_path)) == 2 and not (tmp_path / "meta").exists()
    (summary,) = record_to(tmp_path, SMALL, **SETTINGS, resume=True)
    assert summary.written == 1 and not leftover.exists()
    assert contents(tmp_path) == contents(recorded)


def interrupt(*arguments):
    raise KeyboardInterrupt


def test_a_dataset_grows(recorded, tmp_path):
    shutil.copytree(recorded, tmp_path / "data")
    record_to(tmp_path / "data", SMALL, **SETTINGS | {"num_episodes": 4}, resume=True)
    record_to(tmp_path / "straight", SMALL, **SETTINGS | {"num_episodes": 4})
    assert contents(tmp_path / "data") == contents(tmp_path / "straight")


def test_a_dataset_that_was_killed_while_it_grew_is_read_and_its_tables_follow_on_resume(
    recorded, tmp_path, monkeypatch
):
    shutil.copytree(recorded, tmp_path / "data")
    with monkeypatch.context() as patch:
        patch.setattr("ambidex.recorders.formats.lerobot.format.LeRobotFormat.finish", interrupt)
        with pytest.raises(KeyboardInterrupt):
            record_to(tmp_path / "data", SMALL, **SETTINGS | {"num_episodes": 4}, resume=True)
    assert not (tmp_path / "data/meta/info.json").exists()
    assert [stored.episode.success for stored in Dataset(tmp_path / "data")] == [True] * 4


def test_every_episode_reproduces_failures_included(recorded):
    results = dict(verify(recorded, workers=0))
    assert len(results) == 3 + 3
    assert all(isinstance(r, Verification) and r.states.same and str(r.frames) == "intact" for r in results.values())


def test_an_episode_that_is_removed_on_purpose_leaves_the_tables_too(recorded, tmp_path):
    shutil.copytree(recorded, tmp_path / "data")
    (tmp_path / "data/ambidex/episode_1.hdf5").unlink()
    assert accept_missing(tmp_path / "data") == (1,)
    shutil.rmtree(tmp_path / "data/ambidex")
    (tmp_path / "data/dataset.json").unlink()
    assert len(Dataset(tmp_path / "data")) == 2  # as LeRobot counts them


def test_training_data_are_those_of_the_same_episodes_in_hdf5(recorded, tmp_path):
    record_to(tmp_path, SMALL, **SETTINGS | {"format": "act"})
    (ours,), (theirs,) = (read_tables([path], multi_embodiment=False) for path in (recorded, tmp_path))
    assert ours.qpos.tobytes() == theirs.qpos.tobytes() and ours.actions.tobytes() == theirs.actions.tobytes()
    assert ours.spec == theirs.spec
