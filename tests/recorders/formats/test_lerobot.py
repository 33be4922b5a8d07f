"""The LeRobot datasets that are written: every file that LeRobot's loader reads, random access, and damage."""

import json
import sys

import av
import numpy as np
import pyarrow.parquet as pq
import pytest
from synthetic_episode import JOINTS, make_episode, make_frames, make_spec

from ambidex.errors import DatasetError, MissingPackageError, UnknownNameError, UsageError
from ambidex.recorders.dataset.dataset import Dataset
from ambidex.recorders.dataset.info import DatasetInfo
from ambidex.recorders.dataset.layout import WriteOptions
from ambidex.recorders.formats.lerobot.format import LeRobotFormat
from ambidex.recorders.formats.lerobot.statistics import ImageStatistics, merged, sampled_steps

FORMAT, LENGTHS = LeRobotFormat(), (6, 4, 9)
OPTIONS = WriteOptions(format="lerobot", storage="h264")
TOP = "observation.images.top"
TOP_VIDEO = f"videos/{TOP}/chunk-000/file-001.mp4"
ROWS = "data/chunk-000/file-001.parquet"


def write_dataset(folder, *, storage="h264", lengths=LENGTHS, skip=(), **spec):
    spec = make_spec(**spec)
    for index, steps in enumerate(lengths):
        if index not in skip:
            episode = make_episode(spec=spec, steps=steps, seed=index)
            options = WriteOptions(format="lerobot", storage=storage)
            FORMAT.write(FORMAT.episode_path(folder, index), episode, make_frames(episode), options, env=None)
    DatasetInfo(
        env_spec=spec, command="", versions={}, format="lerobot", storage=storage, attempts=len(lengths),
        successes=len(lengths), failures=0, errors=0, episodes=len(lengths), complete=True, timings={}, removed=skip,
    ).write(folder)  # fmt: skip
    FORMAT.finish(folder, spec.task)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("lerobot"))


def rows_of(folder):
    return [pq.read_table(file) for file in sorted(folder.glob("data/*/*.parquet"))]


def test_info_json_describes_every_feature(folder):
    info = json.loads((folder / "meta/info.json").read_text())
    assert (info["codebase_version"], info["fps"], info["robot_type"]) == ("v3.0", 50, "viperx_bimanual")
    assert (info["total_episodes"], info["total_frames"], info["total_tasks"]) == (3, 19, 1)
    assert info["splits"] == {"train": "0:3"}
    features = info["features"]
    assert features["observation.state"] == {"dtype": "float32", "shape": [14], "names": list(JOINTS)}
    assert features[TOP]["dtype"] == "video" and features[TOP]["shape"] == [24, 32, 3]
    assert features[TOP]["info"]["video.codec"] == "h264" and features[TOP]["info"]["video.g"] == 2
    videos = {name for name, feature in features.items() if feature["dtype"] == "video"}
    for table in rows_of(folder):  # a column that info.json does not name makes LeRobot's loader fail
        assert set(table.column_names) == set(features) - videos


def test_rows_have_the_states_and_actions_bit_for_bit_and_count_over_the_dataset(folder):
    first = 0
    for number, (table, stored) in enumerate(zip(rows_of(folder), Dataset(folder), strict=True)):
        episode, rows = stored.episode, table.to_pydict()
        assert np.array_equal(np.array(rows["observation.state"], np.float32), episode.qpos)
        assert np.array_equal(np.array(rows["action"], np.float32), episode.joint_actions)
        steps = list(range(episode.steps))
        assert rows["frame_index"] == steps and rows["index"] == [first + t for t in steps]
        assert rows["episode_index"] == [number] * len(steps) and rows["task_index"] == [0] * len(steps)
        assert np.allclose(rows["timestamp"], np.arange(episode.steps) / 50, atol=1e-6)
        last = [t == episode.steps - 1 for t in steps]
        assert rows["next.success"] == rows["next.done"] == last and rows["next.reward"] == [float(x) for x in last]
        first += episode.steps
    types = {name: str(rows_of(folder)[0].schema.field(name).type) for name in ("observation.state", "index")}
    assert types == {"observation.state": "fixed_size_list<element: float>[14]", "index": "int64"}


def test_tasks_are_indexed_by_their_text(folder):
    table = pq.read_table(folder / "meta/tasks.parquet")
    assert table.to_pydict() == {"task_index": [0], "task": ["insert the peg into the socket"]}
    assert json.loads(table.schema.metadata[b"pandas"])["index_columns"] == ["task"]


def test_episodes_say_where_rows_and_frames_are(folder):
    episodes = pq.read_table(folder / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    assert [row["length"] for row in episodes] == [6, 4, 9]
    assert [(row["dataset_from_index"], row["dataset_to_index"]) for row in episodes] == [(0, 6), (6, 10), (10, 19)]
    assert [row[f"videos/{TOP}/file_index"] for row in episodes] == [row["data/file_index"] for row in episodes]
    assert episodes[2][f"videos/{TOP}/from_timestamp"] == 0 and episodes[2][f"videos/{TOP}/to_timestamp"] == 9 / 50
    assert np.array(episodes[1]["stats/observation.state/mean"]) == pytest.approx(
        Dataset(folder)[1].episode.qpos.mean(axis=0)
    )


def test_statistics_are_those_of_all_rows_and_of_sampled_images(folder):
    statistics = json.loads((folder / "meta/stats.json").read_text())
    states = np.concatenate([stored.episode.qpos for stored in Dataset(folder)]).astype(float)
    found = {name: np.array(value) for name, value in statistics["observation.state"].items()}
    assert np.allclose(found["mean"], states.mean(axis=0)) and np.allclose(found["std"], states.std(axis=0))
    assert np.array_equal(found["min"], states.min(axis=0)) and found["count"] == [19]
    assert statistics["index"]["max"] == [18] and statistics["task_index"]["std"] == [0]
    frames = np.stack([frame for n in LENGTHS for frame in make_frames(make_episode(steps=n))["top"]]) / 255
    assert np.allclose(np.ravel(statistics[TOP]["mean"]), frames.mean(axis=(0, 1, 2)))
    assert np.allclose(np.ravel(statistics[TOP]["std"]), frames.std(axis=(0, 1, 2)))
    assert np.shape(statistics[TOP]["q99"]) == (3, 1, 1) and statistics[TOP]["count"] == [19]


def test_image_statistics_are_those_of_numpy():
    images = np.random.default_rng(0).integers(3, 250, (5, 8, 9, 3), dtype=np.uint8)
    statistics = ImageStatistics()
    for image in images:
        statistics.add(image)
    found, pixels = statistics.result(), images.reshape(-1, 3) / 255
    assert np.allclose(found["std"].ravel(), pixels.std(axis=0)) and np.allclose(
        found["min"].ravel(), pixels.min(axis=0)
    )
    assert np.allclose(found["q10"].ravel(), np.quantile(pixels, 0.1, axis=0), atol=1 / 255)
    twice = merged([found, found])
    assert np.allclose(twice["std"], found["std"]) and twice["count"] == [10]
    black = ImageStatistics()
    black.add(np.zeros((8, 9, 3), np.uint8))
    assert np.allclose(merged([found, black.result()])["q50"], found["q50"] * 5 / 6)  # five frames and one
    assert len(sampled_steps(400)) == 100 and max(sampled_steps(400)) == 399 and len(sampled_steps(7)) == 7


def test_every_second_frame_is_a_keyframe_and_times_are_exact(folder):
    with av.open(str(folder / TOP_VIDEO)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.pts is not None]
        assert [packet.is_keyframe for packet in packets] == [True, False] * 2
        assert [packet.pts * packet.time_base * 50 for packet in packets] == [0, 1, 2, 3]


@pytest.mark.parametrize("storage", ["h264", "av1"])
def test_frames_in_any_order_are_those_that_were_recorded(tmp_path, storage):
    folder = write_dataset(tmp_path, storage=storage, lengths=(9,))
    frames = make_frames(make_episode(steps=9))["top"]
    with Dataset(folder)[0] as stored:
        for t in (8, 0, 3, 4, 1, 7, 7, 2):
            errors = [np.abs(stored.frame("top", t).astype(int) - frame).mean() for frame in frames]
            assert np.argmin(errors) == t and errors[t] < 4
        assert stored.storage == storage and stored.has_checksums("top")


def test_removed_episodes_leave_no_gap_in_the_numbers_that_lerobot_counts(tmp_path):
    folder = write_dataset(tmp_path, skip=(1,))
    _, second = rows_of(folder)
    assert second["episode_index"][0].as_py() == 1 and second["index"][0].as_py() == 6
    assert [stored.steps for stored in Dataset(folder)] == [6, 9]
    FORMAT.episode_path(folder, 2).unlink()
    FORMAT.finish(folder, "insertion")
    assert len(rows_of(folder)) == 1


def test_states_only_have_no_videos(tmp_path):
    folder = write_dataset(tmp_path, cameras=())
    assert not (folder / "videos").exists()
    info = json.loads((folder / "meta/info.json").read_text())
    assert info["video_path"] is None and [stored.steps for stored in Dataset(folder)] == [6, 4, 9]


def test_the_same_episodes_give_the_same_bytes(tmp_path, folder):
    other = write_dataset(tmp_path)
    files = [file.relative_to(folder) for file in folder.rglob("*") if file.is_file()]
    assert all((folder / file).read_bytes() == (other / file).read_bytes() for file in files)


def test_what_the_format_cannot_hold_is_refused():
    with pytest.raises(UnknownNameError):
        FORMAT.check(make_spec(), WriteOptions(format="lerobot", storage="lossless"))
    for spec, options in (
        (make_spec(image_size=(25, 32)), OPTIONS),
        (make_spec(), WriteOptions(format="lerobot", storage="h264", image_convention="opengl")),
    ):
        with pytest.raises(UsageError):
            FORMAT.check(spec, options)


def flip(path, offset):
    data = bytearray(path.read_bytes())
    data[offset] ^= 0xFF
    path.write_bytes(data)


def test_a_damaged_frame_is_noticed_and_the_others_are_read(tmp_path):
    folder = write_dataset(tmp_path)
    with av.open(str(folder / TOP_VIDEO)) as container:
        packet = next(
            packet for packet in container.demux(video=0) if packet.pts and packet.pts * packet.time_base * 50 == 2
        )
        position = packet.pos + packet.size // 2
    flip(folder / TOP_VIDEO, position)
    with Dataset(folder)[1] as stored:
        assert stored.frame("top", 1).shape == (24, 32, 3)
        for t in (2, 3):
            with pytest.raises(DatasetError, match="checksum of frame 2") as error:
                stored.frame("top", t)
            assert error.value.facts["path"] == folder / TOP_VIDEO
        assert stored.frame("top", 0).shape == (24, 32, 3)


def test_a_missing_video_is_noticed_when_the_episode_is_opened(tmp_path):
    folder = write_dataset(tmp_path)
    (folder / TOP_VIDEO).unlink()
    with pytest.raises(DatasetError, match="missing") as error:
        Dataset(folder)[1]
    assert error.value.facts["path"] == folder / TOP_VIDEO


@pytest.mark.parametrize("damage", ["missing", "truncated", "changed"])
def test_rows_that_lerobot_would_read_differently_are_noticed(tmp_path, damage):
    folder = write_dataset(tmp_path)
    path = folder / ROWS
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:-9])
    else:
        pq.write_table(pq.read_table(folder / "data/chunk-000/file-000.parquet"), path)
    assert Dataset(folder)[0].episode.steps == 6
    with pytest.raises(DatasetError) as error:
        _ = Dataset(folder)[1].episode
    assert error.value.facts["path"] == path


def test_without_pyarrow_the_extra_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for name in ("tables", "metadata", "index", "foreign"):
        monkeypatch.delitem(sys.modules, f"ambidex.recorders.formats.lerobot.{name}", raising=False)
    for run in (lambda: FORMAT.check(make_spec(), OPTIONS), lambda: Dataset(folder)[0].episode):
        with pytest.raises(MissingPackageError) as error:
            run()
        assert error.value.facts == {"package": "pyarrow", "extra": "lerobot"}
