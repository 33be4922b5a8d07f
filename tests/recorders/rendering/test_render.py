"""Rendering datasets again, with other cameras, sizes and qualities."""

import json
import shutil
from dataclasses import replace

import pytest
from recording_fakes import SMALL, STATES, contents, record_to

from ambidex.errors import DatasetError, RenderingError, UsageError
from ambidex.recorders.dataset.dataset import Dataset, read
from ambidex.recorders.formats.act import episode_path, write_episode
from ambidex.recorders.formats.registry import read_episode
from ambidex.recorders.render_episodes import main
from ambidex.recorders.rendering.config import RenderConfig
from ambidex.recorders.rendering.render import render


@pytest.fixture(scope="module")
def states(tmp_path_factory):
    """A dataset without images."""
    directory = tmp_path_factory.mktemp("states") / "data"
    record_to(directory, STATES, num_episodes=2, keep_failures=True, workers=0)
    return directory


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """The same, recorded with images."""
    directory = tmp_path_factory.mktemp("images") / "data"
    record_to(directory, SMALL, num_episodes=2, keep_failures=True, video="all", workers=0)
    return directory


def render_to(path, directory, **changes):
    return render(RenderConfig(path=path, output_dir=directory, quiet=True, **{"workers": 0, **changes}))


def same_but_for_info(a, b):
    a, b = contents(a), contents(b)
    assert {name for name in a if a[name] != b.get(name)} == {"info"} and set(a) == set(b)


@pytest.mark.parametrize("workers", [0, 2])
def test_rendered_later_is_what_would_have_been_recorded(states, images, tmp_path, workers):
    summary = render_to(states, tmp_path, cameras=("top",), image_size=(24, 32), video="all", workers=workers)
    same_but_for_info(tmp_path, images)
    assert summary.written == summary.episodes == len(list(images.rglob("*.hdf5")))
    assert read(tmp_path).info.env_spec == replace(read(images).info.env_spec)


def test_other_cameras_sizes_quality_and_storage(tmp_path_factory, tmp_path):
    states = tmp_path_factory.mktemp("one_episode")
    record_to(states, STATES, num_episodes=1, workers=0)
    render_to(states, tmp_path, cameras=("angle", "left_wrist"), image_size=(16, 24), render_quality="studio",
              storage="raw")  # fmt: skip
    info = read(tmp_path).info
    assert info.storage == "raw" and info.env_spec.render_quality == "studio" and info.complete
    assert info.command.startswith("render-episodes") and "--cameras angle left_wrist" in info.command
    old = read_episode(episode_path(states, 0))
    with read(episode_path(tmp_path, 0)) as file:
        assert file.frame("left_wrist", 3).shape == (16, 24, 3) and file.storage == "raw"
        assert (file.episode.states == old.states).all() and file.episode.versions == old.versions


def test_by_default_the_new_dataset_is_beside_the_old_one_and_equal(images, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for name in ("dataset.json", "attempts.jsonl", "episode_0.hdf5", "episode_1.hdf5"):
        (source / name).write_bytes((images / name).read_bytes())
    before = contents(source)
    assert render(RenderConfig(path=source, quiet=True, workers=0)).directory == tmp_path / "source-rendered"
    same_but_for_info(tmp_path / "source-rendered", source)
    assert contents(source) == before


def test_resume_renders_what_is_missing(states, images, tmp_path):
    flags = {"cameras": ("top",), "image_size": (24, 32), "video": "all"}
    render_to(states, tmp_path, **flags)
    episode_path(tmp_path, 1).unlink()
    assert render_to(states, tmp_path, resume=True, **flags).written == 1
    same_but_for_info(tmp_path, images)
    assert render_to(states, tmp_path, resume=True, **flags).written == 0


def test_resume_with_other_flags_is_refused(states, tmp_path):
    render_to(states, tmp_path, cameras=("top",), image_size=(24, 32))
    with pytest.raises(UsageError) as error:
        render_to(states, tmp_path, cameras=("angle",), image_size=(24, 32), resume=True)
    assert error.value.facts["differences"] == ("--cameras was top, now angle",)


def test_another_model_is_reported(images, tmp_path, capsys):
    for name in ("dataset.json", "attempts.jsonl"):
        (tmp_path / name).write_bytes((images / name).read_bytes())
    for i in (0, 1):
        with read(episode_path(images, i)) as file:
            frames = {"top": file.frames("top")}
            write_episode(episode_path(tmp_path, i), replace(file.episode, model_sha256="0" * 64), frames, "raw")
    render(RenderConfig(path=tmp_path, output_dir=tmp_path / "out", workers=0))
    assert "The model has changed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cameras": ("tob",)}, "Did you mean 'top'"),
        ({"storage": "lossles"}, "Did you mean 'lossless'"),
        ({"render_quality": "studios"}, "Did you mean 'studio'"),
        ({"video": "al"}, "Did you mean 'all'"),
        ({"image_size": (0, 3)}, "0 x 3"),
        ({"workers": -2}, "-2 workers"),
    ],
)
def test_wrong_usage_is_refused(states, tmp_path, changes, words):
    with pytest.raises(UsageError, match=words):
        render_to(states, tmp_path / "out", **changes)
    assert not (tmp_path / "out").exists()


def test_the_dataset_itself_is_never_overwritten(states):
    before = contents(states)
    for resume in (False, True):
        with pytest.raises(UsageError) as error:
            render_to(states, states, resume=resume)
        assert error.value.facts["path"] == states
    assert contents(states) == before


def test_a_folder_that_is_not_empty_is_refused(states, images):
    with pytest.raises(UsageError, match="not empty"):
        render_to(states, images)
    with pytest.raises(UsageError, match="but by: record-episodes"):
        render_to(states, images, resume=True)


def test_a_file_or_an_empty_folder_is_not_a_dataset(states, tmp_path):
    file = episode_path(states, 0)
    for path in (file, file / "demo_0"):
        with pytest.raises(UsageError) as error:
            render_to(path, tmp_path / "out")
        assert (error.value.facts["path"], error.value.facts["expected"]) == (path, states)
    with pytest.raises(DatasetError, match="not a dataset"):
        Dataset(file / "demo_0")
    with pytest.raises(DatasetError, match="not a dataset"):
        render_to(tmp_path, tmp_path / "out")


def test_without_opengl_nothing_is_written(states, tmp_path, monkeypatch):
    monkeypatch.setattr("ambidex.envs.simulation.opengl.LIBRARIES", {"egl": "libNoEGL.so", "osmesa": "libNoMesa.so"})
    with pytest.raises(RenderingError, match="apt-get install"):
        render_to(states, tmp_path / "out", cameras=("top",))
    assert not (tmp_path / "out").exists()


def test_the_command(states, tmp_path, capsys):
    out = tmp_path / "out"
    flags = ["--cameras", "top", "--image-size", "24", "32", "--output-dir", str(out), "--workers", "0"]
    with pytest.raises(SystemExit) as end:
        main([str(states), *flags])
    assert end.value.code == 0
    assert "episodes rendered" in capsys.readouterr().out
    assert json.loads((out / "dataset.json").read_text())["env_spec"]["cameras"] == ["top"]


def test_a_rendering_of_a_dataset_that_was_moved_is_resumed_and_of_another_one_refused(states, tmp_path):
    moved = shutil.copytree(states, tmp_path / "moved")
    render_to(states, tmp_path / "out", cameras=())
    assert render_to(moved, tmp_path / "out", cameras=(), resume=True).written == 0
    attempts = moved / "attempts.jsonl"
    attempts.write_text(attempts.read_text().replace('"seed": 0', '"seed": 50'))
    with pytest.raises(UsageError, match="other attempts"):
        render_to(moved, tmp_path / "out", cameras=(), resume=True)
