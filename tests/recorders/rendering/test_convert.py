"""Converting datasets between formats."""

import json
from dataclasses import replace

import libero_recording
import numpy as np
import pytest
from recording_fakes import SMALL, record_to
from synthetic_episode import same

from ambidex.errors import UsageError
from ambidex.recorders.convert_dataset import main
from ambidex.recorders.dataset.dataset import read
from ambidex.recorders.dataset.files import failure_files
from ambidex.recorders.formats.registry import read_episode
from ambidex.recorders.rendering.config import ConvertConfig
from ambidex.recorders.rendering.render import convert

QUIET = {"quiet": True, "workers": 0}


@pytest.fixture(scope="module")
def aloha(tmp_path_factory):
    directory = tmp_path_factory.mktemp("aloha") / "data"
    record_to(directory, SMALL, num_episodes=2, keep_failures=True, workers=0)
    return directory


@pytest.fixture(scope="module")
def libero(tmp_path_factory):
    directory = tmp_path_factory.mktemp("libero") / "data"
    libero_recording.record_to(directory, num_episodes=2, workers=0)
    return directory


@pytest.mark.parametrize(("source", "back"), [("aloha", "act"), ("libero", "libero"), ("libero", "act")])
def test_there_and_back_everything_but_the_pixels_is_the_same_bit_for_bit(request, tmp_path, source, back):
    start = request.getfixturevalue(source)
    convert(ConvertConfig(path=start, format="lerobot", output_dir=tmp_path / "there", **QUIET))
    convert(ConvertConfig(path=tmp_path / "there", format=back, output_dir=tmp_path / "back", **QUIET))
    datasets = [read(folder) for folder in (start, tmp_path / "there", tmp_path / "back")]
    assert [dataset.info.format for dataset in datasets[1:]] == ["lerobot", back]
    for first, there, again in zip(*datasets, strict=True):
        assert same(first.episode, there.episode) and same(first.episode, again.episode)
        for camera in first.cameras:
            frames = [np.stack([*stored.frames(camera)]).astype(int) for stored in (first, there, again)]
            assert np.abs(frames[0] - frames[1]).mean() < 14 and np.array_equal(frames[1], frames[2])
    for one, other in zip(failure_files(start), failure_files(tmp_path / "back"), strict=True):
        assert same(read_episode(one), read_episode(other))
    assert read(tmp_path / "back").attempts == datasets[0].attempts


def test_from_a_lossless_source_images_are_the_same_too(libero, tmp_path):
    convert(ConvertConfig(path=libero, format="act", output_dir=tmp_path, **QUIET))
    for first, other in zip(read(libero), read(tmp_path), strict=True):
        assert all(
            np.array_equal(a, b) for a, b in zip(first.frames("agentview"), other.frames("agentview"), strict=True)
        )


def test_the_command_is_recorded_with_that_which_recorded_the_episodes(aloha, tmp_path):
    convert(ConvertConfig(path=aloha, format="lerobot", output_dir=tmp_path, **QUIET))
    info = read(tmp_path).info
    assert info.command.startswith(f"convert-dataset {aloha} --format lerobot --storage h264")
    assert info.source_command == read(aloha).info.command and info.complete


def test_an_interrupted_conversion_is_resumed_and_nothing_is_overwritten(aloha, tmp_path):
    flags = ConvertConfig(path=aloha, format="lerobot", output_dir=tmp_path / "out", **QUIET)
    convert(flags)
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.mp4")}
    with pytest.raises(UsageError, match="not empty"):
        convert(flags)
    (tmp_path / "out/ambidex/episode_1.hdf5").unlink()
    with pytest.raises(UsageError, match="--storage was h264, now av1"):
        convert(replace(flags, resume=True, storage="av1"))
    assert convert(replace(flags, resume=True)).written == 1
    assert all(path.read_bytes() == data for path, data in before.items())
    assert convert(replace(flags, resume=True)).written == 0


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--format libero", "libero family"),
        ("--format lerobott", "Did you mean 'lerobot'"),
        ("--format act --storage h264", "Unknown storage"),
        ("", "--format"),
    ],
)
def test_wrong_usage_exits_with_status_2(aloha, tmp_path, capsys, flags, words):
    with pytest.raises(SystemExit) as end:
        main([str(aloha), *flags.split(), "--output-dir", str(tmp_path / "out"), "--workers", "0"])
    assert end.value.code == 2 and words in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_the_summary_is_one_line(aloha, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        main([str(aloha), "--format", "lerobot", "--output-dir", str(tmp_path / "out"), "--workers", "0"])
    out = capsys.readouterr().out
    assert end.value.code == 0 and out.startswith("4 episodes converted") and out.count("\n") == 1
    assert json.loads((tmp_path / "out/meta/info.json").read_text())["total_episodes"] == 2
