"""LeRobot datasets that other programs wrote, and what is said of damaged ones."""

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from lerobot_dataset import ALOHA_NAMES, SIZE, image, vectors, write_lerobot, write_table

import ambidex
from ambidex.envs.registry import check_spec
from ambidex.errors import DatasetError, UsageError
from ambidex.policies.data.dataset import read_tables, remarks
from ambidex.policies.data.frames import FrameReader
from ambidex.recorders.dataset.dataset import Dataset, dataset_folders, read
from ambidex.recorders.formats.foreign.episode import PANDA, PANDA_STEPS
from ambidex.recorders.rendering.config import ConvertConfig, RenderConfig
from ambidex.recorders.rendering.render import convert, render
from ambidex.recorders.verification.verify import verify
from ambidex.worker_pool.worker import WorkerError

LENGTHS = (6, 4, 5)
ROWS, VIDEO = "data/chunk-000/file-000.parquet", "videos/observation.images.top/chunk-000/file-000.mp4"


def table_of(folder):
    (table,) = read_tables([folder], multi_embodiment=False)
    return table


@pytest.mark.parametrize("version", ["v3.0", "v2.1"])
@pytest.mark.parametrize("dtype", ["video", "image"])
def test_states_actions_frames_and_tasks_are_those_of_the_files(tmp_path, dtype, version):
    dataset = read(write_lerobot(tmp_path / "set", dtype=dtype, version=version))
    assert len(dataset) == 3 and dataset.info.complete and dataset_folders(tmp_path) == [tmp_path / "set"]
    for number, stored in enumerate(dataset):
        episode = stored.episode
        assert np.array_equal(episode.qpos, vectors(LENGTHS[number], 14, number))
        assert np.array_equal(episode.joint_actions, vectors(LENGTHS[number], 14, 100 + number))
        assert episode.success and episode.spec.instruction == ("push the cube", "lift it", "push the cube")[number]
        for t in reversed(range(stored.steps)):
            for camera, name in enumerate(("top", "left_wrist")):
                error = np.abs(stored.frame(name, t).astype(int) - image(number, t, camera))
                assert error.mean() < (3 if dtype == "video" else 1e-9)


def test_a_robot_of_ours_is_known_by_the_names_of_its_joints(tmp_path):
    spec = Dataset(write_lerobot(tmp_path / "known")).spec
    ours = ambidex.make("insertion", cameras=("top", "left_wrist"), image_size=SIZE).spec
    assert not {line.split(":")[0] for line in spec.differences(ours)} & {
        "family", "robot", "control", "control_hz", "joint_names", "action_names", "cameras", "image_size", "dynamics",
    }  # fmt: skip
    libero = ambidex.make("libero_goal/1", cameras=()).spec
    assert (libero.joint_names, libero.action_names) == (PANDA, PANDA_STEPS)


def test_another_robot_has_no_family_and_its_dimensions_are_numbered_with_a_note(tmp_path):
    folder = write_lerobot(
        tmp_path / "libero", state="state", action="actions", names=None, dimensions=(8, 7), fps=10,
        cameras=("image", "wrist_image"), dtype="image",
    )  # fmt: skip
    spec = Dataset(folder).spec
    assert (spec.family, spec.robot, spec.control, spec.control_hz) == ("", "aloha", "ee", 10)
    assert spec.cameras == ("image", "wrist_image") and spec.action_names[6] == "action_6"
    check_spec(spec)
    table = table_of(folder)
    assert table.actions.shape == (15, 7) and table.qpos.shape == (15, 8)
    assert any("names" in note for note in remarks(table)) and not any("share" in note for note in remarks(table))
    with pytest.raises(UsageError, match="--control joint"):
        read_tables([folder], multi_embodiment=False, control="joint")


def test_an_episode_of_several_tasks_has_the_first_with_a_note(tmp_path):
    folder = write_lerobot(tmp_path / "set")
    file = folder / "meta/episodes/chunk-000/file-000.parquet"
    rows = pq.read_table(file).to_pylist()
    write_table(file, [rows[0] | {"tasks": ["reach", "push the cube"]}, *rows[1:]])
    table = table_of(folder)
    assert table.entries[0].instruction == "reach" and any("1 of 3 episodes" in note for note in remarks(table))


def test_a_camera_of_another_size_is_left_out_with_a_note(tmp_path):
    folder = write_lerobot(tmp_path / "set")
    broken(folder, lambda i: i["features"].update({"observation.images.side": {"dtype": "video", "shape": [8, 8, 3]}}))
    assert Dataset(folder).spec.cameras == ("top", "left_wrist")
    assert any("observation.images.side" in note for note in remarks(table_of(folder)))


def test_chunks_of_v21_have_as_many_episodes_as_info_json_says(tmp_path):
    folder = write_lerobot(tmp_path / "set", dtype="image", version="v2.1")
    broken(folder, lambda i: i.update(chunks_size=2))
    (folder / "data/chunk-001").mkdir()
    name = "episode_000002.parquet"
    (folder / "data/chunk-000" / name).rename(folder / "data/chunk-001" / name)
    assert [stored.episode.steps for stored in Dataset(folder)] == list(LENGTHS)


def test_failures_are_not_trained_on(tmp_path):
    folder = write_lerobot(tmp_path / "set", success=(True, False, True))
    assert [entry.seed for entry in table_of(folder).entries] == [0, 2]


def test_frames_of_a_batch_are_read_by_row(tmp_path):
    table = table_of(write_lerobot(tmp_path / "set"))
    frames = FrameReader(table, ("top",)).read(np.array([14, 0, 7]))["top"]
    for frame, (episode, t) in zip(frames, [(2, 4), (0, 0), (1, 1)], strict=True):
        assert np.abs(frame.astype(int) - image(episode, t)).mean() < 3


def test_what_needs_the_simulator_says_that_there_are_no_states(tmp_path):
    folder = write_lerobot(tmp_path / "set")
    for run in (lambda: render(RenderConfig(path=folder)), lambda: convert(ConvertConfig(path=folder, format="act"))):
        with pytest.raises(DatasetError, match="no simulation states"):
            run()
    results = dict(verify(folder, workers=0))
    assert [*results] == [folder / f"episode_{number}" for number in range(3)]
    assert all(isinstance(r, WorkerError) and "no simulation states" in r.message for r in results.values())


def broken(folder, change):
    info = json.loads((folder / "meta/info.json").read_text())
    change(info)
    (folder / "meta/info.json").write_text(json.dumps(info))


def changed(folder, column, change):
    rows = pq.read_table(folder / ROWS).to_pylist()
    write_table(folder / ROWS, [row | {column: change(row[column])} for row in rows])


DAMAGE = {
    "a missing video": (lambda f: (f / VIDEO).unlink(), VIDEO, "missing"),
    "missing rows": (lambda f: (f / ROWS).unlink(), ROWS, "missing"),
    "a truncated table": (lambda f: (f / ROWS).write_bytes((f / ROWS).read_bytes()[:-100]), ROWS, "damaged"),
    "no list of episodes": (lambda f: shutil.rmtree(f / "meta/episodes"), "", "counts 3 episodes"),
    "info.json": (lambda f: (f / "meta/info.json").write_text("{"), "meta/info.json", "damaged"),
    "v2.0": (lambda f: broken(f, lambda i: i.update(codebase_version="v2.0")), "meta/info.json", "v2.0"),
    "no action": (lambda f: broken(f, lambda i: i["features"].pop("action")), "meta/info.json", "no feature action"),
    "fps": (lambda f: broken(f, lambda i: i.update(fps=0)), "meta/info.json", "fps"),
    "a path": (lambda f: broken(f, lambda i: i["features"].update({"../x": {"dtype": "video", "shape": [1]}})),
               "meta/info.json", "feature"),
    "another rate": (lambda f: broken(f, lambda i: i.update(fps=30)), ROWS, "apart"),
    "a later start": (lambda f: changed(f, "timestamp", lambda t: t + 0.02), ROWS, "begin at 0.02"),
    "no time": (lambda f: changed(f, "timestamp", lambda t: None), ROWS, "nan"),
    "another order": (lambda f: changed(f, "frame_index", lambda t: 5 - t), ROWS, "order"),
    "fewer rows": (lambda f: pq.write_table(pq.read_table(f / ROWS).slice(0, 13), f / ROWS), ROWS, "expected 5"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_reported_with_the_file(tmp_path, damage):
    folder = write_lerobot(tmp_path / "set")
    change, file, words = DAMAGE[damage]
    change(folder)
    with pytest.raises(DatasetError, match=words) as error:
        table_of(folder)
    assert error.value.facts["path"] == (folder / file if file else folder)


def test_a_video_of_another_rate_or_size_is_noticed_when_a_frame_is_read(tmp_path):
    folder = write_lerobot(tmp_path / "set", fps=50)
    other = write_lerobot(tmp_path / "other", fps=30)
    shutil.copy(other / VIDEO, folder / VIDEO)
    with Dataset(folder)[0] as stored, pytest.raises(DatasetError, match="no frame at"):
        stored.frame("top", 1)
    (folder / VIDEO).write_bytes(b"not a video")
    with Dataset(folder)[0] as stored, pytest.raises(DatasetError, match="damaged"):
        stored.frame("top", 1)


def test_names_are_those_of_the_aloha_cell(tmp_path):
    assert ambidex.make("insertion", cameras=()).spec.joint_names == ALOHA_NAMES
