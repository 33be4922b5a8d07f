"""Files of states: damaged and inflated ones are refused before they are used."""

import os

import numpy as np
import pytest

from ambidex.benchmarks.results.states import EpisodeStates
from ambidex.errors import DatasetError

GOOD = {
    "states": np.zeros((4, 9)),
    "actions": np.zeros((3, 2), np.float32),
    "stages": np.zeros(4, np.int8),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "states" / "insertion" / "100000.npz"


def test_what_is_written_is_read(path):
    EpisodeStates(**GOOD).write(path)
    found = EpisodeStates.read(path)
    assert all(np.array_equal(getattr(found, name), value) for name, value in GOOD.items())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"states": np.zeros(4)}, "states has"),
        ({"states": np.zeros((4, 9), np.float32)}, "states has float32"),
        ({"states": np.full((4, 9), np.nan)}, "not finite"),
        ({"actions": np.zeros((2, 2), np.float32)}, "states has"),
        ({"stages": np.zeros((4, 1), np.int8)}, "stages has"),
        ({"states": np.zeros((4, 10_000_000))}, "320 MB"),
    ],
)
def test_impossible_arrays_are_refused(path, change, words):
    path.parent.mkdir(parents=True)
    np.savez_compressed(path, **{**GOOD, **change})
    with pytest.raises(DatasetError, match=words) as raised:
        EpisodeStates.read(path)
    assert raised.value.facts["path"] == path


def test_a_single_array_is_no_file_of_states(path):
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        np.save(file, GOOD["states"])
    with pytest.raises(DatasetError, match="cannot be read as states of an episode"):
        EpisodeStates.read(path)


def test_a_fifo_is_no_file_of_states(path):
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    with pytest.raises(DatasetError, match="no regular file"):
        EpisodeStates.read(path)
