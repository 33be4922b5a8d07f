"""What every registered format must do."""

import h5py
import numpy as np
import pytest
from synthetic_episode import make_episode, make_frames, make_spec, same
from synthetic_libero import libero_episode, libero_spec, make_proprioception, make_scene

from ambidex.errors import DatasetError, UnknownNameError, UsageError
from ambidex.recorders.dataset.dataset import Dataset
from ambidex.recorders.dataset.info import DatasetInfo
from ambidex.recorders.dataset.layout import WriteOptions
from ambidex.recorders.formats.registry import FORMATS, format_named, format_of, open_episode

SPECS = {"act": make_spec(), "libero": libero_spec(), "lerobot": make_spec()}
EPISODES = {"act": make_episode, "libero": libero_episode, "lerobot": make_episode}
LOSSLESS, VIDEO = ("lossless", "raw"), ("h264", "av1")
STORAGES = {"act": LOSSLESS, "libero": LOSSLESS, "lerobot": VIDEO}


@pytest.fixture(params=FORMATS)
def name(request):
    return request.param


@pytest.fixture
def write(name, monkeypatch):
    """Writes a synthetic episode in the format; what the simulator would add is made up."""
    monkeypatch.setattr(
        "ambidex.recorders.formats.libero.format.proprioception", lambda env, states: make_proprioception(len(states))
    )
    monkeypatch.setattr("ambidex.recorders.formats.libero.format.describe_scene", lambda env: make_scene())

    def writing(directory, index, *, storage=None, **changes):
        episode, writer = EPISODES[name](spec=SPECS[name], **changes), format_named(name)
        options = WriteOptions(format=name, storage=storage or writer.default_storage)
        writer.check(episode.spec, options)
        path = writer.episode_path(directory, index)
        writer.write(path, episode, make_frames(episode), options, env=None)
        return episode

    return writing


def write_info(directory, name, episodes):
    DatasetInfo(
        env_spec=SPECS[name], command="", versions={}, format=name, storage="lossless", attempts=episodes,
        successes=episodes, failures=0, errors=0, episodes=episodes, complete=True, timings={},
    ).write(directory)  # fmt: skip


@pytest.mark.parametrize("which", [0, 1])
def test_an_episode_that_was_written_is_read_before_and_after_the_dataset_is_finished(write, name, tmp_path, which):
    storage = STORAGES[name][which]
    episodes = [write(tmp_path, i, storage=storage, steps=3 + i, seed=i) for i in range(3)]
    write_info(tmp_path, name, 3)
    for _ in range(2):
        dataset = Dataset(tmp_path)
        assert len(dataset) == 3 and list(dataset.format.find(tmp_path)) == [0, 1, 2]
        for stored, path, episode in zip(dataset, dataset.paths, episodes, strict=True):
            assert same(stored.episode, episode) and stored.path == path and stored.storage == storage
            for camera, frames in make_frames(episode).items():
                difference = np.abs(np.stack([*stored.frames(camera)]).astype(int) - np.stack(frames))
                assert difference.mean() <= (4 if storage in VIDEO else 0)
        format_named(name).finish(tmp_path, SPECS[name].task)


def test_the_format_of_a_file_is_recognised_by_its_content(write, name, tmp_path):
    write(tmp_path, 0)
    path = format_named(name).find(tmp_path)[0].rename(tmp_path / "renamed.h5")
    assert type(format_of(path)) is type(format_named(name))
    with open_episode(path) as stored:
        assert stored.steps == 6


def test_a_missing_episode_is_found(write, name, tmp_path):
    for index in (0, 2):
        write(tmp_path, index)
    format_named(name).finish(tmp_path, SPECS[name].task)
    assert list(format_named(name).find(tmp_path)) == [0, 2]
    write_info(tmp_path, name, 3)
    with pytest.raises(DatasetError) as error:
        Dataset(tmp_path)
    assert error.value.facts == {"path": format_named(name).episode_path(tmp_path, 1), "missing": (1,)}


def test_unknown_storages_and_conventions_are_refused(name):
    for options in ({"storage": "lossles"}, {"storage": "lossless", "image_convention": "sideways"}):
        with pytest.raises(UsageError):
            format_named(name).check(SPECS[name], WriteOptions(format=name, **options))


def test_unknown_formats_are_refused(tmp_path):
    with pytest.raises(UnknownNameError, match="Did you mean 'libero'"):
        format_named("librero")
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file["something"] = 1
    with pytest.raises(DatasetError, match="no known format"):
        open_episode(tmp_path / "x.hdf5")
