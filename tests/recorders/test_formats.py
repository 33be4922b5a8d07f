"""What every registered format must do, whatever it looks like on the disk."""

import numpy as np
import pytest
from synthetic_episode import make_episode, make_frames, make_spec, same
from synthetic_libero import libero_episode, libero_spec, make_proprioception, make_scenery

from ambidex.errors import DatasetError, UnknownNameError, UsageError
from ambidex.recorders.dataset.dataset import Dataset
from ambidex.recorders.dataset.info import DatasetInfo
from ambidex.recorders.dataset.layout import Layout
from ambidex.recorders.formats.registry import FORMATS, format_named, format_of, open_episode

SPECS = {"act": make_spec(), "libero": libero_spec()}
EPISODES = {"act": make_episode, "libero": libero_episode}


@pytest.fixture(params=FORMATS)
def name(request):
    return request.param


@pytest.fixture
def write(name, monkeypatch):
    """Writes a synthetic episode in the format; what a real world would say besides is made up."""
    monkeypatch.setattr(
        "ambidex.recorders.formats.libero.format.proprioception", lambda env, states: make_proprioception(len(states))
    )
    monkeypatch.setattr("ambidex.recorders.formats.libero.format.scenery", lambda env: make_scenery())

    def writing(directory, index, *, storage="lossless", **changes):
        episode = EPISODES[name](spec=SPECS[name], **changes)
        layout, writer = Layout(format=name, storage=storage), format_named(name)
        writer.check(episode.spec, layout)
        path = writer.episode_path(directory, index)
        writer.write(path, episode, make_frames(episode), layout, env=None)
        return episode

    return writing


def write_info(directory, name, episodes):
    DatasetInfo(
        env_spec=SPECS[name], command="", versions={}, format=name, storage="lossless", attempts=episodes,
        successes=episodes, failures=0, errors=0, episodes=episodes, complete=True, timings={},
    ).write(directory)  # fmt: skip


@pytest.mark.parametrize("storage", ["lossless", "raw"])
def test_what_is_written_is_read_before_and_after_the_end(write, name, tmp_path, storage):
    episodes = [write(tmp_path, i, storage=storage, steps=3 + i, seed=i) for i in range(3)]
    write_info(tmp_path, name, 3)
    for _ in range(2):
        dataset = Dataset(tmp_path)
        assert len(dataset) == 3 and list(dataset.format.find(tmp_path)) == [0, 1, 2]
        for stored, path, episode in zip(dataset, dataset.paths, episodes, strict=True):
            assert same(stored.episode, episode) and stored.path == path and stored.storage == storage
            for camera, frames in make_frames(episode).items():
                assert all(np.array_equal(a, b) for a, b in zip(stored.frames(camera), frames, strict=True))
        format_named(name).finish(tmp_path, SPECS[name].task)


def test_files_are_recognised_by_what_is_in_them(write, name, tmp_path):
    write(tmp_path, 0)
    path = format_named(name).find(tmp_path)[0].rename(tmp_path / "renamed.h5")
    assert type(format_of(path)) is type(format_named(name))
    with open_episode(path) as stored:
        assert stored.steps == 6


def test_a_hole_is_found(write, name, tmp_path):
    for index in (0, 2):
        write(tmp_path, index)
    format_named(name).finish(tmp_path, SPECS[name].task)
    assert list(format_named(name).find(tmp_path)) == [0, 2]
    write_info(tmp_path, name, 3)
    with pytest.raises(DatasetError, match=r"_1\.hdf5 is missing.* 1 of them"):
        Dataset(tmp_path)


def test_unknown_storages_and_conventions_are_refused(name):
    for layout in ({"storage": "lossles"}, {"storage": "lossless", "image_convention": "sideways"}):
        with pytest.raises(UsageError):
            format_named(name).check(SPECS[name], Layout(format=name, **layout))


def test_unknown_formats_are_refused(tmp_path):
    with pytest.raises(UnknownNameError, match="Did you mean 'libero'"):
        format_named("librero")
    import h5py

    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file["something"] = 1
    with pytest.raises(DatasetError, match="no known format"):
        open_episode(tmp_path / "x.hdf5")
