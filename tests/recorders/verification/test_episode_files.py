"""The paths that `verify-episodes` takes: datasets, folders with datasets, and files; and those it cannot read."""

import shutil

import pytest
from recording_fakes import STATES, record_to

from ambidex.errors import DatasetError
from ambidex.recorders.dataset.dataset import Dataset, dataset_folders, shell_arguments
from ambidex.recorders.verification.verify import episode_files, verify
from ambidex.recorders.verify_episodes import main, report
from ambidex.worker_pool.worker import WorkerError


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Three datasets recorded with experts: of a task, and of two tasks of a suite."""
    root = tmp_path_factory.mktemp("original") / "data"
    record_to(root / "insertion", STATES, agent=None, num_episodes=2, workers=0)
    for index in (1, 7):
        record_to(
            root / "libero_goal" / str(index), STATES, None, task=f"libero_goal/{index}", num_episodes=1, workers=0
        )
    return root


@pytest.fixture
def data(original, tmp_path):
    """A copy of them to damage."""
    return shutil.copytree(original, tmp_path / "data")


def test_a_folder_stands_for_the_datasets_in_it_and_each_counts_once(data):
    (data / "empty").mkdir()
    datasets = [data / "insertion", data / "libero_goal" / "1", data / "libero_goal" / "7"]
    assert dataset_folders(data) == datasets and dataset_folders(datasets[0]) == datasets[:1]
    assert dataset_folders(data / "empty") == []
    all_files = episode_files(data)
    assert all_files == [path for dataset in datasets for path in Dataset(dataset).paths]
    assert episode_files(*datasets) == episode_files(data / "insertion", data) == all_files
    assert all(result.reproduces for _, result in verify(*datasets[:2], ee=False, workers=0))


def test_datasets_as_arguments_of_a_shell_command(data):
    assert shell_arguments(dataset_folders(data)) == f"{data / 'insertion'} {data / 'libero_goal'}/*"
    assert shell_arguments(dataset_folders(data / "insertion")) == str(data / "insertion")
    (data / "libero_goal" / ".hidden").touch()
    assert shell_arguments(dataset_folders(data / "libero_goal")) == f"{data / 'libero_goal'}/*"
    (data / "libero_goal" / "notes.txt").touch()
    named = shell_arguments(dataset_folders(data / "libero_goal"))
    assert named == f"{data / 'libero_goal' / '1'} {data / 'libero_goal' / '7'}"


def test_the_others_are_verified_if_a_dataset_is_damaged(data):
    (file,) = (data / "libero_goal" / "7").glob("*_demo.hdf5")
    file.write_bytes(file.read_bytes()[:5000])
    results = dict(verify(data, ee=False, workers=0))
    damaged = results[data / "libero_goal" / "7"]
    assert isinstance(damaged, WorkerError) and "truncated" in damaged.message
    assert len(results) == 4 and sum(getattr(result, "reproduces", False) for result in results.values()) == 3
    text = report([data], list(results.items()))
    assert "1 of 4 could not be replayed" in text and "3 of 4 episodes have the same states" in text
    alone = report([data / "libero_goal" / "7"], list(verify(data / "libero_goal" / "7", workers=0)))
    assert alone.endswith("1 of 1 could not be replayed.") and "same states" not in alone


def test_the_others_are_verified_if_a_file_is_missing(data):
    (data / "insertion" / "episode_0.hdf5").unlink()
    (file,) = (data / "libero_goal" / "7").glob("*_demo.hdf5")
    file.unlink()
    results = dict(verify(data, ee=False, workers=0))
    missing, demo = (
        results[data / "insertion" / "episode_0.hdf5"], results[data / "libero_goal" / "7" / "parts" / "demo_0.hdf5"]
    )  # fmt: skip
    assert isinstance(missing, WorkerError) and isinstance(demo, WorkerError) and "is missing" in demo.message
    assert f"record them again: record-episodes --resume --output-dir {data / 'insertion'}" in missing.message
    assert f"verify-episodes --accept-missing {data / 'insertion'}" in missing.message
    assert results[data / "insertion" / "episode_1.hdf5"].reproduces and len(results) == 4
    text = report([data], list(results.items()))
    assert "2 of 4 could not be replayed" in text and "2 of 4 episodes have the same states" in text


def test_files_without_dataset_json_can_be_named_one_by_one(data):
    loose = data / "insertion"
    (loose / "dataset.json").unlink()
    with pytest.raises(DatasetError, match=r"no dataset.json.*verify-episodes .*/insertion/\*\.hdf5"):
        episode_files(loose)
    assert episode_files(*sorted(loose.glob("*.hdf5"))) == [loose / "episode_0.hdf5", loose / "episode_1.hdf5"]


def test_the_error_for_the_folder_of_a_suite_lists_its_datasets(data):
    with pytest.raises(DatasetError) as error:
        Dataset(data / "libero_goal")
    assert error.value.facts["expected"] == [str(data / "libero_goal" / name) for name in ("1", "7")]
    with pytest.raises(DatasetError, match="there is no such folder"):
        Dataset(data / "nowhere")


def test_the_command_says_which_missing_episodes_it_records_as_removed(data, capsys):
    insertion = data / "insertion"
    (insertion / "episode_0.hdf5").unlink()
    with pytest.raises(SystemExit) as refused:
        main(["--accept-missing", str(insertion / "episode_1.hdf5"), "--workers", "0"])
    assert refused.value.code == 2
    with pytest.raises(SystemExit) as done:
        main(["--accept-missing", str(insertion), "--no-ee", "--workers", "0"])
    assert done.value.code == 0 and "recorded as removed: 0." in capsys.readouterr().err
