"""Resuming refuses damaged episodes, and following the hint of the error records them again."""

import json
import shlex
import shutil

import h5py
import libero_recording
import pytest
import recording_fakes
from recording_fakes import STATES, contents, record_to

from ambidex.errors import DatasetError
from ambidex.recorders.dataset.dataset import read
from ambidex.recorders.dataset.repair import repair_hint, rerecord_command
from ambidex.recorders.formats.act import write_episode
from ambidex.recorders.record_episodes import main
from ambidex.recorders.rendering.config import RenderConfig
from ambidex.recorders.rendering.render import render

DEMOS = "put_the_bowl_on_the_stove_demo.hdf5"


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """Two episodes without images, and two failures."""
    directory = tmp_path_factory.mktemp("straight") / "data"
    record_to(directory, STATES, num_episodes=2, keep_failures=True, workers=0)
    return directory


@pytest.fixture
def data(straight, tmp_path):
    """A copy to damage."""
    return shutil.copytree(straight, tmp_path / "data")


def cut(path, share=0.5):
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def refusal(resume):
    with pytest.raises(DatasetError) as error:
        resume()
    assert "\n" not in str(error.value)
    return error.value


def follow(hint, agent, monkeypatch):
    """Run the command at the end of a hint, with an agent in place of the expert."""
    name, *flags = shlex.split(hint.partition("record its episodes again: ")[2])
    assert name == "record-episodes"
    monkeypatch.setattr("ambidex.recorders.recording.record._expert_factory", lambda config: agent)
    with pytest.raises(SystemExit) as end:
        main([*flags, "--workers", "0", "--quiet"])
    assert end.value.code == 0


@pytest.mark.parametrize("name", ["episode_0.hdf5", "episode_1.hdf5", "failures/episode_0.hdf5"])
def test_resume_refuses_a_damaged_episode_and_the_hint_restores_it(straight, data, name, monkeypatch):
    damaged = data / name
    cut(damaged)
    left = damaged.read_bytes()
    error = refusal(lambda: record_to(data, STATES, num_episodes=2, keep_failures=True, workers=0, resume=True))
    assert (error.facts["path"], error.facts["damaged"]) == (data, (damaged,)) and "truncated" in error.problem
    assert f"Restore {damaged.name} from a copy, or move it away" in error.hint
    assert damaged.read_bytes() == left
    damaged.unlink()
    follow(error.hint, recording_fakes.FakeAgent, monkeypatch)
    assert contents(data) == contents(straight)


def test_damaged_structure_and_an_empty_file_are_found_too(data):
    with h5py.File(data / "episode_0.hdf5") as file:
        places = range(file["states"].id.get_chunk_info(0).byte_offset)
    content = bytearray((data / "episode_0.hdf5").read_bytes())
    content[places[-1] // 2 : places[-1] // 2 + 20] = b"x" * 20
    (data / "episode_0.hdf5").write_bytes(content)
    (data / "episode_1.hdf5").write_bytes(b"")
    error = refusal(lambda: record_to(data, STATES, num_episodes=3, keep_failures=True, resume=True))
    assert error.facts["damaged"] == (data / "episode_0.hdf5", data / "episode_1.hdf5")
    assert "2 of 4 episodes" in error.problem


@pytest.mark.parametrize("share", [0.5, 0.001])
def test_a_damaged_file_of_demonstrations_is_recorded_again_once_deleted(tmp_path, share, monkeypatch):
    libero_recording.record_to(tmp_path, num_episodes=2, workers=0, cameras=())
    whole = contents(tmp_path)
    cut(tmp_path / DEMOS, share)
    left = (tmp_path / DEMOS).read_bytes()
    error = refusal(lambda: libero_recording.record_to(tmp_path, num_episodes=3, workers=0, cameras=(), resume=True))
    assert f"Restore {DEMOS} from a copy, or move it away" in error.hint and (tmp_path / DEMOS).read_bytes() == left
    (tmp_path / DEMOS).unlink()
    follow(error.hint, libero_recording.FakeAgent, monkeypatch)
    assert contents(tmp_path) == whole


def test_a_damaged_rendered_episode_is_refused_too(data, tmp_path):
    config = RenderConfig(path=data, output_dir=tmp_path / "copy", resume=True, quiet=True, workers=0)
    render(config)
    whole = contents(tmp_path / "copy")
    damaged = tmp_path / "copy" / "episode_1.hdf5"
    cut(damaged)
    error = refusal(lambda: render(config))
    assert error.facts["damaged"] == (damaged,) and f": render-episodes {data} " in error.hint
    assert error.hint.endswith(f" --resume --output-dir {tmp_path / 'copy'}")
    damaged.unlink()
    render(config)
    assert contents(tmp_path / "copy") == whole


def test_the_hint_for_a_file_outside_a_dataset_names_no_command(data, tmp_path):
    alone = tmp_path / "alone.hdf5"
    with read(data)[0] as stored:
        write_episode(alone, stored.episode, {}, "lossless")
    assert repair_hint(alone) == "Restore it from a copy, or record the episode again."
    assert rerecord_command(alone) == ""
    (data / "dataset.json").write_text("{")
    assert repair_hint(data / "episode_0.hdf5") == repair_hint(alone)


@pytest.mark.parametrize("command", ["record-episodes --task 'insertion", "rm -rf /", "", "render-episodes 'x"])
def test_a_command_that_is_not_ours_is_not_advised(data, command):
    values = json.loads((data / "dataset.json").read_text())
    (data / "dataset.json").write_text(json.dumps({**values, "command": command}))
    assert rerecord_command(data / "episode_0.hdf5") == ""
