"""Recordings for Rerun, read back with its own reader: every number, every frame, and the time lines."""

import resource
import sys
from datetime import timedelta

import numpy as np
import pytest
from lerobot_dataset import write_lerobot
from synthetic_dataset import STATES, write_dataset
from synthetic_libero import libero_spec, write_dataset_info, write_libero

from ambidex.errors import DatasetError, MissingPackageError, UsageError
from ambidex.recorders.dataset.dataset import Dataset
from ambidex.recorders.formats.images import encode_jpeg
from ambidex.recorders.inspect_dataset import main
from ambidex.recorders.inspection.inspect import inspect

WRITER = "ambidex.recorders.inspection.rerun_file"


@pytest.fixture
def chunks():
    """Reads recordings with Rerun's own reader; without the package a test is skipped."""
    reader = pytest.importorskip("rerun.chunk", reason="pip install -e '.[rerun]'").RrdReader

    def read(path):
        """Entity -> column -> its values over all chunks."""
        found = {}
        for chunk in reader(path).stream():
            for name, values in chunk.to_record_batch().to_pydict().items():
                found.setdefault(chunk.entity_path, {}).setdefault(name, []).extend(values)
        return found

    return read


def write(path, dataset):
    ((inspection, tracks),) = inspect(dataset)
    from ambidex.recorders.inspection.rerun_file import write_rerun

    write_rerun(path, inspection, tracks, quiet=True)


def act(folder):
    return write_dataset(folder, lengths=(70, 5)), ("episode_0", "episode_1")


def libero(folder):
    write_libero(folder / "put_the_bowl_on_the_plate_demo.hdf5")
    write_dataset_info(folder, libero_spec(), count=1, format_name="libero")
    return folder, ("put_the_bowl_on_the_plate_demo/demo_0",)


def foreign(folder):
    return write_lerobot(folder, dtype="image"), ("episode_0", "episode_1", "episode_2")


@pytest.mark.parametrize("make", [act, libero, foreign])
def test_what_is_written_is_read(tmp_path, chunks, make):
    folder, names = make(tmp_path / "data")
    write(tmp_path / "x.rrd", folder)
    found = chunks(tmp_path / "x.rrd")
    episodes = {entity.split("/state/")[0] for entity in found if "/state/" in entity}
    assert episodes == {f"/{name}" for name in names}
    for name, stored in zip(names, Dataset(folder), strict=True):
        spec, episode = stored.spec, stored.episode
        for kind, labels, values in (
            ("state", spec.joint_names, episode.qpos),
            ("action", spec.action_names, episode.actions),
        ):
            for label, column in zip(labels, values.T, strict=True):
                logged = found[f"/{name}/{kind}/{label}"]
                np.testing.assert_array_equal(np.float32(logged["Scalars:scalars"]).ravel(), column)
                assert logged["step"] == list(range(len(column)))
        assert logged["time"][3] == timedelta(seconds=3 / spec.control_hz)
        for camera in stored.cameras:
            blobs = found[f"/{name}/images/{camera}"]["EncodedImage:blob"]
            assert [bytes(blob) for (blob,) in blobs] == [encode_jpeg(frame) for frame in stored.frames(camera)]
        assert found[f"/{name}/instruction"]["TextDocument:text"] == [[spec.instruction]]


def test_stages_and_the_outcome_are_events(tmp_path, chunks):
    folder = write_dataset(tmp_path / "data", failed=(1,), **STATES)
    write(tmp_path / "x.rrd", folder)
    found = chunks(tmp_path / "x.rrd")
    for name, outcome, level, stored in zip(
        ("episode_0", "episode_1"), ("success", "failure"), ("INFO", "WARN"), Dataset(folder), strict=False
    ):
        stages, words, events = stored.episode.stages, stored.spec.stages, found[f"/{name}/events"]
        changes = [t for t, stage in enumerate(stages) if stage != (stages[t - 1] if t else 0)]
        assert changes and events["step"] == [*changes, stored.steps]
        expected = [*(f"stage {words[stages[t]]}" for t in changes), outcome]
        assert [text for (text,) in events["TextLog:text"]] == expected
        assert events["TextLog:level"][-1] == [level]
    assert not any("images" in entity for entity in found)


def test_the_command_replaces_a_file_and_names_the_dataset_it_shows(tmp_path, chunks, capsys):
    for name in ("a", "b"):
        write_dataset(tmp_path / name, lengths=(4,), **STATES)
    file = tmp_path / "new" / "x.rrd"
    for _ in range(2):
        with pytest.raises(SystemExit) as end:
            main([str(tmp_path / "a"), str(tmp_path / "b"), "--rerun", str(file)])
        assert end.value.code == 0 and f"first of 2 datasets, {tmp_path / 'a'}" in capsys.readouterr().err
        assert len(chunks(file)["/episode_0/state/left_0"]["step"]) == 4
    assert [each.name for each in file.parent.iterdir()] == ["x.rrd"]


def test_another_ending_and_a_damaged_frame_leave_no_file(tmp_path, chunks):
    folder = write_dataset(tmp_path / "data", lengths=(4,))
    with pytest.raises(UsageError, match=r"\.rrd"):
        write(tmp_path / "x.png", folder)
    file = folder / "episode_0.hdf5"
    content = bytearray(file.read_bytes())
    with Dataset(folder)[0] as stored:
        chunk = stored._frames.datasets["top"].id.get_chunk_info(2)
    content[chunk.byte_offset + 20] ^= 255
    file.write_bytes(content)
    with pytest.raises(DatasetError, match="frame 2"):
        write(tmp_path / "x.rrd", folder)
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("limit", [100, 100_000])
def test_a_full_disk_is_reported(tmp_path, chunks, limit):
    folder = write_dataset(tmp_path / "data", lengths=(200,))
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, old[1]))
    try:
        with pytest.raises(DatasetError) as error:
            write(tmp_path / "x.rrd", folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert error.value.facts["path"] == tmp_path / "x.rrd" and list(tmp_path.iterdir()) == [folder]


def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rerun", None)
    monkeypatch.delitem(sys.modules, WRITER, raising=False)
    with pytest.raises(MissingPackageError) as error:
        write(tmp_path / "x.rrd", write_dataset(tmp_path / "data", lengths=(4,), **STATES))
    assert error.value.facts == {"package": "rerun", "extra": "rerun"}
