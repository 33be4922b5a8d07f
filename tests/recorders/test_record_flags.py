"""`record-episodes --resume --output-dir FOLDER`: what is not said is as in the dataset."""

import pytest
from recording_fakes import STATES, FakeAgent, contents, record_to

from ambidex.recorders.record_episodes import defaults_for, main


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A dataset of two episodes, recorded with flags of its own."""
    monkeypatch.setattr("ambidex.recorders.recording.record._expert", lambda config: FakeAgent)
    record_to(tmp_path / "data", STATES, num_episodes=2, seed=3, keep_failures=True, max_attempts=5, workers=0)
    return tmp_path / "data"


def leaving(*flags):
    with pytest.raises(SystemExit) as end:
        main([*map(str, flags), "--workers", "0", "--quiet"])
    return end.value.code


def test_the_folder_is_enough_to_go_on(data):
    before = contents(data)
    (data / "episode_1.hdf5").unlink()
    assert leaving("--resume", "--output-dir", data) == 0
    assert contents(data) == before


def test_a_switch_of_the_dataset_may_be_said_again(data):
    assert leaving("--resume", "--output-dir", data, "--keep-failures") == 0


def test_more_episodes_may_take_more_attempts_than_then(data, tmp_path):
    assert leaving("--resume", "--output-dir", data, "--num-episodes", "4") == 0
    record_to(tmp_path / "all", STATES, num_episodes=4, seed=3, keep_failures=True, workers=0)
    assert contents(data) == contents(tmp_path / "all")


def test_flags_that_are_given_count_and_differences_are_refused(data, capsys):
    assert leaving("--resume", "--output-dir", data, "--seed", "0") == 2
    assert "--seed was 3, now 0" in capsys.readouterr().err


def test_with_a_task_nothing_is_taken_from_the_folder(data, capsys):
    assert defaults_for(["--resume", "--task", "insertion", "--output-dir", str(data)]) is None
    assert defaults_for(["--output-dir", str(data)]) is None
    assert leaving("--resume", "--output-dir", data, "--task", "insertion") == 2
    assert "recorded differently" in capsys.readouterr().err


def test_a_folder_that_is_no_dataset_does_not_say_the_task(tmp_path, capsys):
    assert leaving("--resume", "--output-dir", tmp_path / "nothing") == 2
    assert f"if --output-dir is a dataset; {tmp_path / 'nothing'} is none" in capsys.readouterr().err


def test_a_damaged_or_foreign_dataset_json_is_said(data, capsys):
    text = (data / "dataset.json").read_text()
    (data / "dataset.json").write_text(text.replace("record-episodes --task", "render-episodes x --task"))
    assert leaving("--resume", "--output-dir", data) == 2
    assert "was not made by record-episodes" in capsys.readouterr().err
    (data / "dataset.json").write_text(text[:40])
    assert leaving("--resume", "--output-dir", data) == 1
    assert "dataset.json cannot be read" in capsys.readouterr().err
