"""HDF5 demonstrations of other programs, and what is said of those that are damaged or not described."""

import json
import shutil
import tomllib
from dataclasses import replace

import h5py
import libero_recording
import numpy as np
import pytest
from foreign_hdf5 import ENV_ARGS, SIZE, encode, images, vectors, write_act, write_robomimic

import ambidex
from ambidex.benchmarks.watch_rollouts import main as watch_rollouts
from ambidex.errors import DatasetError, UnknownNameError, UsageError
from ambidex.policies.compatibility import check_compatible
from ambidex.policies.data.dataset import read_tables, remarks
from ambidex.policies.data.frames import FrameReader
from ambidex.policies.train_policy import main as train_policy
from ambidex.recorders.convert_dataset import main as convert_dataset
from ambidex.recorders.dataset.dataset import Dataset, dataset_folders, read
from ambidex.recorders.formats.registry import foreign_kind, open_episode
from ambidex.recorders.inspection.inspect import inspect
from ambidex.recorders.rendering.config import ConvertConfig
from ambidex.recorders.rendering.render import convert
from ambidex.recorders.verification.verify import verify

LIBERO, STOVE = "put_the_bowl_on_the_plate_demo.hdf5", "KITCHEN_SCENE3_turn_on_the_stove_demo.hdf5"


KINDS = pytest.mark.parametrize(
    "write",
    [
        lambda path: describe(write_act(path / "sim"), "aloha_sim"),
        lambda path: describe(write_act(path / "real", jpeg=True, base=True), "mobile_aloha", robot="mine"),
        lambda path: write_robomimic(path / "lift.hdf5"),
        lambda path: libero_folder(path / "libero_goal"),
    ],
)


def libero_folder(folder):
    for name in (LIBERO, STOVE):
        write_robomimic(folder / name, libero=True)
    return folder


def describe(path, preset, **changes):
    """Describe a dataset by a preset and changes of it; returns its path."""
    file = foreign_kind(path).describe(path, preset)
    lines = file.read_text().splitlines()
    kept = [line for line in lines if line.partition(" = ")[0] not in changes]
    file.write_text("\n".join([*kept, *(f"{name} = {json.dumps(value)}" for name, value in changes.items())]))
    return path


def refusal(path):
    with pytest.raises(DatasetError) as error:
        [stored.episode for stored in Dataset(path)]
    assert "\n" not in str(error.value)
    return error.value


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("qvel", [True, False])
def test_episodes_of_the_original_act_code(tmp_path, dtype, qvel):
    dataset = read(describe(write_act(tmp_path / "set", (7, 5, 6), dtype=dtype, qvel=qvel), "aloha_sim"))
    assert (len(dataset), dataset.info.format, dataset.spec.horizon) == (3, "act", 7)
    for i, (stored, length) in enumerate(zip(dataset, (7, 5, 6), strict=True)):
        episode = stored.episode
        assert episode.success and episode.qpos.dtype == np.float32 and episode.states.shape == (length + 1, 0)
        assert np.array_equal(episode.qpos, vectors(length, 14, i).astype(np.float32))
        assert np.array_equal(episode.actions, vectors(length, 14, 100 + i).astype(np.float32))
        assert episode.qvel.shape == ((length, 14) if qvel else (length, 0))
        assert np.array_equal(np.stack([*stored.frames("top")]), images(length, i))


def test_a_policy_trained_on_them_acts_in_the_cell_that_they_are_of(tmp_path):
    spec = Dataset(describe(write_act(tmp_path / "set"), "aloha_sim")).spec
    ours = ambidex.make("insertion", cameras=("top",), image_size=SIZE, dynamics="act").spec
    check_compatible(spec, ours)
    with pytest.raises(UsageError, match="dynamics"):
        check_compatible(spec, replace(ours, dynamics="identified"))


def test_mobile_aloha_has_jpegs_a_base_and_cameras_of_several_sizes(tmp_path):
    cameras = {"cam_high": SIZE, "cam_low": (12, 16)}
    folder = describe(write_act(tmp_path / "set", jpeg=True, base=True, cameras=cameras), "mobile_aloha")
    (table,) = read_tables([folder], multi_embodiment=False)
    assert table.actions.shape == (18, 16) and table.spec.family == "" and table.spec.action_names[-1] == "base_angular"
    assert table.spec.cameras == ("cam_high",) and any("cam_low" in note for note in remarks(table))
    frames = FrameReader(table, ("cam_high",)).read(np.array([17, 0, 8]))["cam_high"]
    for frame, (episode, t) in zip(frames, [(2, 5), (0, 0), (1, 1)], strict=True):
        assert np.abs(frame.astype(int) - images(8, episode)[t]).mean() < 3


def test_image_size_scales_all_cameras_to_it(tmp_path):
    folder = write_act(tmp_path / "set", cameras={"top": SIZE, "angle": (48, 64)})
    with Dataset(describe(folder, "aloha_sim", image_size=[12, 16]))[0] as stored:
        assert stored.cameras == ("angle", "top")
        assert {stored.frame(camera, 3).shape for camera in stored.cameras} == {(12, 16, 3)}


def test_liberos_published_files_say_what_they_are(tmp_path):
    folder = libero_folder(tmp_path / "libero_goal")
    dataset = Dataset(folder)
    ours = ambidex.make("libero_goal/8", image_size=SIZE).spec
    check_compatible(dataset.spec, replace(ours, instruction="put the bowl on the plate"))
    assert dataset.spec.family == "libero" and dataset.paths[1] == folder / LIBERO / "demo_1"
    assert [stored.spec.instruction for stored in dataset][1:3] == ["put the bowl on the plate", "turn on the stove"]
    with dataset[0] as stored:
        episode = stored.episode
        assert np.allclose(episode.actions, vectors(7, 7, 0)[1:]), "an observation goes with the action after it"
        assert np.allclose(episode.qpos[:, :7], vectors(7, 7, 40)[:-1]) and np.allclose(episode.qpos[:, 7], 0.75)
        assert np.array_equal(stored.frame("agentview", 2), images(7, 0)[2]), "upright"
    assert [attempt.seed for attempt in dataset.attempts] == [0, 1, 2, 3]
    assert any("row before" in note for note in foreign_kind(folder).notes(folder))


def test_a_file_of_ours_without_what_only_we_store_gives_the_same_robot_and_images(tmp_path):
    """The same numbers mean the same: joints, opening, actions, rows of images, names."""
    libero_recording.record_to(
        tmp_path / "ours", num_episodes=1, workers=0, image_convention="opengl", keep_failures=False
    )
    (source,) = (tmp_path / "ours").glob("*_demo.hdf5")
    (tmp_path / "theirs").mkdir()
    file = tmp_path / "theirs" / source.name
    shutil.copy(source, file)
    with h5py.File(file, "a") as root:
        del root["data/demo_0/ambidex"], root["data"].attrs["image_convention"], root["data"].attrs["instruction"]
    (file.parent / "dataset.toml").write_text('observed = "before"\n')
    with Dataset(source.parent)[0] as ours, Dataset(file)[0] as theirs:
        check_compatible(theirs.spec, ours.spec)
        assert theirs.spec.instruction == ours.spec.instruction
        assert np.allclose(theirs.episode.qpos, ours.episode.qpos, atol=1e-6)
        assert np.array_equal(theirs.episode.actions, ours.episode.actions)
        assert all(map(np.array_equal, theirs.frames("agentview"), ours.frames("agentview")))


def test_files_without_attributes_need_a_description(tmp_path):
    file = write_robomimic(tmp_path / LIBERO, libero=True, env_args=None)
    assert set(refusal(file).facts["missing"]) == {"robot", "control", "control_hz", "state", "images", "observed"}
    with Dataset(describe(file, "libero_regenerated"))[1] as stored:
        assert stored.steps == 5 and stored.spec.instruction == "put the bowl on the plate"
        assert np.array_equal(stored.frame("robot0_eye_in_hand", 4), images(5, 1)[4])


def test_images_rotated_by_180_degrees_are_told_by_one_line(tmp_path):
    file = write_robomimic(tmp_path / LIBERO, libero=True, bottom_up=False)
    (tmp_path / "dataset.toml").write_text('images = "rotated"\n')
    with Dataset(file)[0] as stored:
        assert np.array_equal(stored.frame("agentview", 0), images(7, 0)[0, ::-1, ::-1])


def test_a_file_of_robomimic_is_a_dataset(tmp_path):
    file = write_robomimic(tmp_path / "lift/image.hdf5")
    dataset = read(file)
    assert (dataset.spec.robot, dataset.spec.control, dataset.spec.control_hz) == ("panda", "ee", 20)
    with open_episode(file / "demo_1") as stored:
        assert np.allclose(stored.episode.actions, vectors(5, 7, 1)) and np.array_equal(
            stored.frame("agentview", 0), images(5, 1)[0]
        )
    ((found, tracks),) = inspect(file)
    assert found.format == "robomimic" and len(tracks) == 2 and not found.problems


def test_rewards_tell_failures(tmp_path):
    file = write_robomimic(tmp_path / "image.hdf5")
    with h5py.File(file, "a") as root:
        root["data/demo_0/rewards"][...] = 0
    assert [stored.episode.success for stored in Dataset(file)] == [False, True]


@pytest.mark.parametrize(
    "kwargs",
    [
        {"robots": ["Sawyer"], "control_freq": 20, "controller_configs": {"type": "OSC_POSE"}},
        {"robots": ["Panda"], "control_freq": 20, "controller_configs": {"type": "OSC_POSE", "control_delta": False}},
        {"robots": ["Panda"], "control_freq": 20, "controller_configs": {"type": "JOINT_VELOCITY"}},
    ],
)
def test_nothing_is_guessed_about_another_robot_or_controller(tmp_path, kwargs):
    file = write_robomimic(tmp_path / "image.hdf5", env_args={**ENV_ARGS, "env_kwargs": kwargs})
    assert set(refusal(file).facts["missing"]) == {"robot", "control", "state"}


def test_describe_writes_what_is_known_and_never_overwrites(tmp_path, capsys):
    folder = write_act(tmp_path / "set")
    assert refusal(folder).facts["missing"] == ("robot", "control", "control_hz")
    with pytest.raises(SystemExit) as end:
        convert_dataset([str(folder), "--describe"])
    assert end.value.code == 0 and "Fill in: robot, control, control_hz." in capsys.readouterr().out
    text = (folder / "dataset.toml").read_text()
    assert tomllib.loads(text)["cameras"] == {"top": "top"} and refusal(folder).facts["missing"][0] == "robot"
    with pytest.raises(UsageError, match="not overwritten"):
        foreign_kind(folder).describe(folder, "aloha_sim")
    assert (folder / "dataset.toml").read_text() == text
    with pytest.raises(UnknownNameError):
        foreign_kind(folder).describe(folder, "libero")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('robot = "panda"', "numbers a step"),
        ('control = "ees"', "control"),
        ("control_hz = -1", "control_hz"),
        ("control_hz = nan", "control_hz"),
        ('state_names = ["a"]', "state_names"),
        ("image_size = [9999, 1]", "image_size"),
        ("speed = 3", "speed"),
        ('cameras = {"../top" = "top"}', "without /"),
        ("robot = ", "no TOML"),
        ('cameras = {"top" = "middle"}', "has top"),
        ('state = ["../action"]', "nothing"),
    ],
)
def test_a_description_that_does_not_fit(tmp_path, line, words):
    folder = write_act(tmp_path / "set")
    values = {"robot": '"viperx_bimanual"', "control": '"joint"', "control_hz": "50"}
    values.update([line.split(" = ", 1)])
    (folder / "dataset.toml").write_text("".join(f"{name} = {value}\n" for name, value in values.items()))
    assert words in str(refusal(folder))


def replaced(name, change):
    def damage(root):
        data = root[name][()]
        del root[name]
        if (new := change(data)) is not None:
            root[name] = new

    return damage


def with_nan(data):
    data[2, 3] = np.nan
    return data


DAMAGE = {
    "no action": (replaced("action", lambda data: None), "/action"),
    "shorter action": (replaced("action", lambda data: data[:-1]), "/observations/qpos"),
    "another width": (replaced("action", lambda data: data[:, :7]), "action"),
    "words": (replaced("action", lambda data: data.astype("S9")), "/action"),
    "not a number": (replaced("action", with_nan), "/action, step 2, dimension 3"),
    "fewer images": (replaced("observations/images/top", lambda data: data[1:]), "/observations/images/top"),
    "float images": (replaced("observations/images/top", lambda data: data / 255), "/observations/images/top"),
    "no steps": (replaced("action", lambda data: data[:0]), "/action"),
    "another file": (lambda root: root.__setitem__("x", h5py.ExternalLink("episode_1.hdf5", "/action")), "/x"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_reported_with_file_and_field(tmp_path, damage):
    folder = describe(write_act(tmp_path / "set"), "aloha_sim")
    change, field = DAMAGE[damage]
    with h5py.File(folder / "episode_1.hdf5", "a") as root:
        change(root)
    error = refusal(folder)
    assert error.facts["path"] == folder / "episode_1.hdf5" and error.facts["field"] == field
    ((found, tracks),) = inspect(folder)
    assert len(tracks) == 2 and found.problems[0].startswith(str(folder / "episode_1.hdf5"))


def test_a_truncated_file_is_named_and_an_image_of_another_size_too(tmp_path):
    folder = describe(write_act(tmp_path / "set"), "aloha_sim")
    good = (folder / "episode_0.hdf5").read_bytes()
    (folder / "episode_0.hdf5").write_bytes(good[:-1000])
    assert refusal(folder).facts["path"] == folder / "episode_0.hdf5"
    (folder / "episode_0.hdf5").write_bytes(good)
    write_act(tmp_path / "other", cameras={"top": (12, 16)})
    (tmp_path / "other/episode_2.hdf5").rename(folder / "episode_2.hdf5")
    assert refusal(folder).facts["field"] == "image_size"


def test_a_huge_row_is_not_read_and_a_dataset_in_place_of_a_group_is_none(tmp_path):
    file = write_robomimic(tmp_path / "image.hdf5")
    with h5py.File(file, "a") as root:
        root["data/demo_0/obs"].create_dataset("huge", (7, 1 << 40), np.uint8, chunks=(1, 1 << 10))
    assert Dataset(file).spec.cameras == ("agentview", "robot0_eye_in_hand")
    with h5py.File(tmp_path / "other.hdf5", "w") as root:
        root.create_dataset("data", (1 << 40,), np.uint8, chunks=(1 << 10,))
    assert foreign_kind(tmp_path / "other.hdf5") is None


def test_files_named_after_a_date_are_numbered_in_their_order(tmp_path):
    folder = describe(write_act(tmp_path / "set"), "aloha_sim")
    for i in range(3):
        (folder / f"episode_{i}.hdf5").rename(folder / f"episode_2026112{i}.hdf5")
    (table,) = read_tables([folder], multi_embodiment=False)
    assert [entry.seed for entry in table.entries] == [0, 1, 2]


def test_a_jpeg_of_another_size_is_not_decoded(tmp_path):
    folder = describe(write_act(tmp_path / "set", jpeg=True), "aloha_sim")
    with h5py.File(folder / "episode_0.hdf5", "a") as root:
        row = np.frombuffer(encode(images(1, 0, (480, 640))[0]), np.uint8)
        data = root["observations/images/top"]
        data[1] = np.resize(row, data.shape[1])
    with Dataset(folder)[0] as stored, pytest.raises(DatasetError, match="480 x 640"):
        stored.frame("top", 1)


def test_our_own_folders_are_none_of_them(tmp_path):
    folder = tmp_path / "task" / "failures"
    write_act(folder)
    (tmp_path / "task" / "dataset.json").write_text("{}")
    assert foreign_kind(folder / "episode_0.hdf5") is None
    assert dataset_folders(tmp_path) == [tmp_path / "task"]


@KINDS
def test_act_trains_on_each_kind(tmp_path, write):
    words = [
        "--policy",
        "act",
        "--preset",
        "tiny",
        "--data",
        str(write(tmp_path)),
        "--output-dir",
        str(tmp_path / "run"),
    ]
    words += "--steps 2 --batch-size 2 --validation-fraction 0 --device cpu --quiet --backbone-weights none".split()
    with pytest.raises(SystemExit) as end:
        train_policy(words)
    assert end.value.code == 0 and (tmp_path / "run/checkpoints/2/model.safetensors").is_file()


@KINDS
def test_converted_to_lerobot_they_stay_what_they_are(tmp_path, write):
    source = write(tmp_path / "in")
    flags = ConvertConfig(path=source, format="lerobot", output_dir=tmp_path / "out", workers=0, quiet=True)
    assert convert(flags).written == len(read(source)) and convert(replace(flags, resume=True)).written == 0
    for one, other in zip(read(source), read(tmp_path / "out"), strict=True):
        assert one.spec.instruction == other.spec.instruction and one.spec.joint_names == other.spec.joint_names
        assert np.array_equal(one.episode.qpos, other.episode.qpos)
        assert np.array_equal(one.episode.actions, other.episode.actions) and other.state_size == 0
        for camera in one.cameras:
            frames = [np.stack([*stored.frames(camera)]).astype(int) for stored in (one, other)]
            assert np.abs(frames[0] - frames[1]).mean() < 8
    info = json.loads((tmp_path / "out/meta/info.json").read_text())
    assert info["total_tasks"] == len({stored.spec.instruction for stored in read(source)})
    (table,) = read_tables([tmp_path / "out"], multi_embodiment=False)
    assert len(table.entries) == len(read(source))
    results = [result for _, result in verify(tmp_path / "out", workers=0)]
    assert results and all("no simulation states" in result.message for result in results)


def test_other_formats_need_states_and_the_gallery_shows_stored_images(tmp_path):
    folder = describe(write_act(tmp_path / "set"), "aloha_sim")
    with pytest.raises(DatasetError, match="no simulation states"):
        convert(ConvertConfig(path=folder, format="act", workers=0))
    page = tmp_path / "page.html"
    with pytest.raises(SystemExit) as end:
        watch_rollouts([str(folder), "--export", str(page), "--quiet", "--workers", "0"])
    assert end.value.code == 0 and page.stat().st_size > 10_000
