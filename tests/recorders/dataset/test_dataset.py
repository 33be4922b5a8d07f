"""Reading datasets: dataset.json, attempts.jsonl, and the episodes."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys

import pytest
from synthetic_episode import make_episode, make_frames, make_spec, same

import ambidex.recorders
from ambidex.codec import to_json
from ambidex.envs.types import Outcome
from ambidex.errors import DatasetError
from ambidex.output_folder import row_from_line, row_to_line, versions
from ambidex.recorders.dataset.attempts import ATTEMPTS, Attempt, read_attempts
from ambidex.recorders.dataset.dataset import Dataset, read
from ambidex.recorders.dataset.files import DatasetFiles, accept_missing
from ambidex.recorders.dataset.info import DatasetInfo
from ambidex.recorders.formats.act import ActEpisode, ActFormat, episode_path, write_episode
from ambidex.recorders.recording.record import record
from ambidex.recorders.rendering.render import render
from ambidex.recorders.verification.verify import verify

INFO = DatasetInfo(
    env_spec=make_spec(),
    command="record-episodes --task insertion",
    versions=versions(),
    format="act",
    storage="lossless",
    attempts=3,
    successes=2,
    failures=1,
    errors=0,
    episodes=2,
    complete=True,
    timings={"wall_s": 1.5, "workers": 2},
)


def row(seed, episode):
    return Attempt(
        seed=seed,
        outcome=Outcome.FAILURE if episode is None else Outcome.SUCCESS,
        stage=4,
        stage_name="inserted",
        reason="not held: 'peg'\nat the end, ü" if episode is None else "",
        steps=400,
        episode=episode,
        wall_s=0.25,
    )


ROWS = [row(0, 0), row(1, None), row(2, 1)]


@pytest.fixture
def directory(tmp_path):
    """A complete dataset of two episodes."""
    for index, seed in enumerate((0, 2)):
        episode = make_episode(seed=seed)
        write_episode(episode_path(tmp_path, index), episode, make_frames(episode), "lossless")
    (tmp_path / ATTEMPTS).write_text("".join(row_to_line(r, ATTEMPTS) + "\n" for r in ROWS))
    INFO.write(tmp_path)
    return tmp_path


def test_the_info_that_is_written_is_read(tmp_path):
    INFO.write(tmp_path)
    assert DatasetInfo.read(tmp_path) == INFO
    assert json.loads((tmp_path / "dataset.json").read_text())["env_spec"]["cameras"] == ["top", "left_wrist"]


@pytest.mark.parametrize("attempt", ROWS)
def test_an_attempt_is_one_line_and_comes_back(attempt):
    line = row_to_line(attempt, ATTEMPTS)
    assert "\n" not in line
    assert row_from_line(Attempt, line, ATTEMPTS) == attempt
    assert isinstance(row_from_line(Attempt, line, ATTEMPTS).outcome, Outcome)


LINE = row_to_line(ROWS[0], ATTEMPTS)


@pytest.mark.parametrize("line", ["", "{", "[]", "3", '{"seed": 1}', LINE.replace("success", "maybe")])
def test_a_damaged_attempt_is_refused(line):
    with pytest.raises(DatasetError) as error:
        row_from_line(Attempt, line, ATTEMPTS)
    assert error.value.facts["got"] == line


def test_a_dataset_is_read(directory):
    dataset = read(str(directory))
    assert isinstance(dataset, Dataset)
    assert (dataset.info, dataset.spec, dataset.attempts, len(dataset)) == (INFO, make_spec(), tuple(ROWS), 2)
    with dataset[1] as file:
        assert same(file.episode, make_episode(seed=2))
    with dataset[-1] as file:
        assert file.episode.seed == 2
    assert [file.episode.seed for file in dataset] == [0, 2]
    with pytest.raises(IndexError, match="no episode 2: it has 2"):
        dataset[2]
    with pytest.raises(TypeError, match="one integer"):
        dataset[0:1]


def test_an_episode_file_is_read(directory):
    with read(episode_path(directory, 0)) as file:
        assert isinstance(file, ActEpisode) and file.episode.seed == 0


def test_episodes_are_ordered_by_number(directory):
    for index in range(2, 12):
        shutil.copy(episode_path(directory, 0), episode_path(directory, index))
    dataclasses.replace(INFO, episodes=12).write(directory)
    assert [path.name for path in read(directory).paths] == [f"episode_{i}.hdf5" for i in range(12)]


def test_a_missing_episode_is_named_once_the_dataset_is_complete(directory):
    episode_path(directory, 0).unlink()
    with pytest.raises(DatasetError) as error:
        read(directory)
    assert error.value.facts == {"path": episode_path(directory, 0), "missing": (0,)}
    dataclasses.replace(INFO, complete=False).write(directory)
    assert len(read(directory)) == 1


def test_leftovers_and_unfinished_rows_are_ignored(directory):
    (directory / ".episode_2.hdf5.tmp-7").write_bytes(b"half")
    with (directory / ATTEMPTS).open("a") as file:
        file.write('{"seed": 3, "outc')
    assert len(read(directory)) == 2
    assert read_attempts(directory) == ROWS


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "not a dataset: it has no dataset.json"),
        ("", "cannot be read"),
        ("[]", "cannot be read"),
        ("{}", "env_spec: missing field"),
        (json.dumps(to_json(INFO) | {"env_spec": 3}), "env_spec"),
        (json.dumps(to_json(INFO) | {"env_spec": {}}), r"env_spec\.task: missing field"),
        (json.dumps(to_json(INFO) | {"more": 1}), "more: unknown field"),
    ],
)
def test_a_damaged_or_missing_info_is_refused(directory, content, words):
    (directory / "dataset.json").unlink()
    if content is not None:
        (directory / "dataset.json").write_text(content)
    with pytest.raises(DatasetError, match=words) as error:
        read(directory)
    assert str(directory) in str(error.value)


def test_a_missing_path_is_reported(tmp_path):
    with pytest.raises(DatasetError, match="No such file"):
        read(tmp_path / "missing")


def test_versions_name_what_matters():
    assert set(versions()) == {"ambidex", "python", "mujoco", "numpy", "h5py", "platform"}
    assert versions()["mujoco"].startswith("4.")


def test_the_package_has_the_entries_of_its_commands_and_loads_them_on_use():
    assert ambidex.recorders.read is read
    assert ambidex.recorders.record is record and ambidex.recorders.render is render
    assert ambidex.recorders.verify is verify
    with pytest.raises(AttributeError, match="replay"):
        _ = ambidex.recorders.replay
    code = (
        "import sys, ambidex.recorders, ambidex.output_folder; ambidex.output_folder.versions();"
        "print({'h5py', 'mujoco', 'av'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout == "set()\n", run.stderr


@pytest.mark.parametrize(
    "change",
    [
        {"instruction": "something else"},
        {"task": "transfer_cube"},
        {"spread": "wide"},
        {"control": "ee"},
        {"family": "libero"},
        {"image_size": (12, 16)},
    ],
)
def test_an_episode_of_another_recording_is_refused_with_file_and_field(directory, change):
    episode = make_episode(spec=make_spec(**change), seed=2)
    write_episode(episode_path(directory, 1), episode, make_frames(episode), "lossless")
    dataset = Dataset(directory)
    dataset[0].close()
    for opened in (lambda: dataset[1], lambda: read(episode_path(directory, 1)), lambda: list(dataset)):
        with pytest.raises(DatasetError) as error:
            opened()
        assert error.value.facts["path"] == episode_path(directory, 1)
        assert error.value.facts["field"] == next(iter(change))


def test_dataset_json_is_read_once_and_again_when_it_is_replaced(directory, monkeypatch):
    reads = []
    monkeypatch.setattr(DatasetInfo, "read", lambda folder: reads.append(folder) or INFO)
    for path in (episode_path(directory, 0), episode_path(directory, 1), episode_path(directory, 0)):
        read(path).close()
    assert reads == [directory]
    INFO.write(directory)
    read(episode_path(directory, 0)).close()
    assert reads == [directory] * 2


def test_the_dataset_of_a_stored_failure_is_that_of_its_parent_folder(directory):
    foreign = make_episode(spec=make_spec(spread="wide"), outcome=Outcome.FAILURE)
    write_episode(directory / "failures" / "episode_1.hdf5", foreign, make_frames(foreign), "lossless")
    write_episode(directory / "other" / "episode_1.hdf5", foreign, make_frames(foreign), "lossless")
    read(directory / "other" / "episode_1.hdf5").close()
    with pytest.raises(DatasetError) as error:
        read(directory / "failures" / "episode_1.hdf5")
    assert error.value.facts["fields"] == ("spread",)


def test_episodes_that_were_removed_on_purpose_are_not_asked_for(directory):
    episode_path(directory, 0).unlink()
    with pytest.raises(DatasetError, match="--accept-missing"):
        Dataset(directory)
    assert accept_missing(directory) == (0,) and accept_missing(directory) == ()
    assert [stored.episode.seed for stored in Dataset(directory)] == [2]
    assert DatasetFiles(directory, ActFormat()).are_missing(ROWS[0]) is False
    episode_path(directory, 1).unlink()
    with pytest.raises(DatasetError) as error:
        Dataset(directory)
    assert error.value.facts["missing"] == (1,)


def test_missing_episodes_of_an_unfinished_dataset_are_recorded_instead(directory):
    dataclasses.replace(INFO, complete=False).write(directory)
    episode_path(directory, 0).unlink()
    with pytest.raises(DatasetError, match="not complete"):
        accept_missing(directory)


def test_a_seed_with_two_rows_is_refused(directory):
    with (directory / ATTEMPTS).open("a") as file:
        file.write(row_to_line(ROWS[1], ATTEMPTS) + "\n")
    with pytest.raises(DatasetError) as error:
        read_attempts(directory)
    assert error.value.facts == {"path": directory / ATTEMPTS, "episode": f"seed {ROWS[1].seed}"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"family": "x"}, "unknown family 'x'"),
        ({"control_hz": 0}, "out of range"),
        ({"image_size": [1, 10**9]}, "out of range"),
    ],
)
def test_an_impossible_spec_is_refused_with_the_file(directory, change, words):
    path = directory / "dataset.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "env_spec": {**values["env_spec"], **change}}))
    with pytest.raises(DatasetError, match=words) as error:
        read(directory)
    assert error.value.facts["path"] == path


def test_more_episodes_than_seeds_are_refused(directory):
    path = directory / "dataset.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "episodes": 10**15}))
    with pytest.raises(DatasetError, match="episodes: got"):
        read(directory)


def test_a_fifo_is_no_dataset_json(tmp_path):
    os.mkfifo(tmp_path / "dataset.json")
    with pytest.raises(DatasetError, match="no regular file"):
        DatasetInfo.read(tmp_path)
