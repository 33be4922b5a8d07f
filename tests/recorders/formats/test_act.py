"""ACT episode files: what is written is read, by us and by the original loader."""

import io

import h5py
import numpy as np
import pytest
from PIL import Image
from synthetic_episode import make_episode, make_frames, make_spec, same

from ambidex.envs.env import make
from ambidex.envs.types import Outcome
from ambidex.errors import DatasetError, UnknownNameError, UsageError
from ambidex.recorders.formats.act import ActEpisode, write_episode
from ambidex.recorders.formats.registry import read_episode
from ambidex.recorders.hdf5.writing import LIBVER

STORAGES = ("lossless", "raw", "jpeg", "jpeg-bgr")
JPEG_TOLERANCE = 12


@pytest.fixture(params=STORAGES)
def storage(request):
    return request.param


@pytest.fixture
def path(tmp_path):
    return tmp_path / "episode_0.hdf5"


def write(path, storage="lossless", **changes):
    episode = make_episode(**changes)
    write_episode(path, episode, make_frames(episode), storage)
    return episode


def test_what_is_written_is_read(path, storage):
    episode = write(path, storage)
    assert same(read_episode(path), episode)


def test_frames_are_read_in_any_order(path, storage):
    episode = write(path, storage)
    frames = make_frames(episode)
    with ActEpisode(path) as file:
        assert (file.storage, file.cameras, file.steps) == (storage, ("top", "left_wrist"), 6)
        for camera, t in [("top", 5), ("left_wrist", 0), ("top", 0), ("left_wrist", 5), ("top", 5)]:
            got = file.frame(camera, t)
            assert got.dtype == np.uint8 and got.shape == (24, 32, 3)
            error = np.abs(got.astype(int) - frames[camera][t]).max()
            assert error <= (JPEG_TOLERANCE if storage.startswith("jpeg") else 0)
        assert sum(1 for _ in file.frames("top")) == 6


@pytest.mark.parametrize("changes", [{"outcome": Outcome.FAILURE, "stage": 1}, {"steps": 1}, {"seed": 2**62}])
def test_other_outcomes_lengths_and_seeds(path, changes):
    episode = write(path, **changes)
    assert same(read_episode(path), episode)


def test_an_episode_may_have_no_cameras(path, storage):
    episode = write(path, storage, spec=make_spec(cameras=()))
    with ActEpisode(path) as file:
        assert file.cameras == ()
        assert same(file.episode, episode)
    with h5py.File(path) as file:
        assert list(file["observations/images"]) == []


def test_the_same_episode_gives_the_same_bytes(path, storage, monkeypatch):
    write(path, storage)
    first = path.read_bytes()
    monkeypatch.setattr("time.time", lambda: 0.0)
    again = path.with_name("again.hdf5")
    write(again, storage)
    assert again.read_bytes() == first


# The keys, types and accesses of the original EpisodicDataset.


@pytest.mark.parametrize("storage", ["lossless", "raw"])
def test_the_original_loader_can_read_it(path, storage):
    episode = write(path, storage)
    frames = make_frames(episode)
    t = 4
    with h5py.File(path, "r") as root:
        assert root.attrs["sim"]
        assert not root.attrs.get("compress", False)
        assert root["/action"].shape == (6, 14)
        assert np.array_equal(root["/observations/qpos"][t], episode.qpos[t])
        assert np.array_equal(root["/observations/qvel"][t], episode.qvel[t])
        assert np.array_equal(root["/action"][t:], episode.joint_actions[t:])
        for camera in ("top", "left_wrist"):
            assert np.array_equal(root[f"/observations/images/{camera}"][t], frames[camera][t])


def test_layout_of_the_lossless_file(path):
    write(path)
    with h5py.File(path, "r") as root:
        assert isinstance(root.attrs["sim"], np.bool_) and isinstance(root.attrs["compress"], np.bool_)
        for name in ("observations/qpos", "observations/qvel", "action"):
            assert (root[name].shape, root[name].dtype, root[name].chunks) == ((6, 14), np.float32, None)
        images = root["observations/images/top"]
        assert (images.shape, images.dtype, images.chunks) == ((6, 24, 32, 3), np.uint8, (1, 24, 32, 3))
        assert images.compression == "gzip" and not images.shuffle
        assert (root["action_ee"].shape, root["action_ee"].dtype) == ((6, 16), np.float32)
        assert (root["states"].shape, root["states"].dtype) == ((7, 60), np.float64)
        assert (root["stages"].shape, root["stages"].dtype) == ((7,), np.int8)


def test_attributes(path):
    write(path)
    with h5py.File(path, "r") as root:
        attributes = dict(root.attrs)
    assert attributes["task"] == "insertion"
    assert attributes["instruction"] == "insert the peg into the socket"
    assert (attributes["seed"], attributes["stage"], attributes["format_version"]) == (3, 4, 2)
    assert attributes["success"] and attributes["outcome"] == "success"
    assert {"env_spec", "model_sha256", "versions"} <= set(attributes)


def test_raw_images_are_not_filtered(path):
    write(path, "raw")
    with h5py.File(path, "r") as root:
        images = root["observations/images/top"]
        assert images.compression is None and images.chunks == (1, 24, 32, 3)


@pytest.mark.parametrize("storage", ["jpeg", "jpeg-bgr"])
def test_jpeg_has_the_padded_layout_of_mobile_aloha(path, storage):
    frames = make_frames(write(path, storage))
    with h5py.File(path, "r") as root:
        assert root.attrs["compress"]
        lengths = root["compress_len"]
        assert (lengths.shape, lengths.dtype) == ((2, 6), np.float32)
        for i, camera in enumerate(("top", "left_wrist")):
            rows = root[f"observations/images/{camera}"]
            assert rows.shape == (6, lengths[()].max()) and rows.chunks == (1, rows.shape[1]) and rows.dtype == np.uint8
            row, used = rows[2], int(lengths[i, 2])
            assert row[used - 2 : used].tobytes() == b"\xff\xd9"  # the end mark of a JPEG
            assert not row[used:].any()
            image = np.asarray(Image.open(io.BytesIO(row.tobytes())))  # the padding does no harm
            if storage == "jpeg-bgr":  # cv2.imdecode returns BGR, which the loader of act-plus-plus takes as RGB
                image = image[..., ::-1]
            assert np.abs(image.astype(int) - frames[camera][2]).max() <= JPEG_TOLERANCE


def test_old_readers_can_open_it(path):
    write(path)
    superblock_version = path.read_bytes()[8]
    assert LIBVER == "earliest" and superblock_version == 0


def test_frames_are_taken_step_by_step_and_passed_on(path):
    episode = make_episode(steps=3)
    order, seen = [], []

    def source(camera):
        for t, frame in enumerate(make_frames(episode)[camera]):
            order.append((t, camera))
            yield frame

    def observe(t, frames):
        seen.append((t, tuple(frames), len(order)))

    write_episode(path, episode, {c: source(c) for c in ("left_wrist", "top")}, "lossless", on_step=observe)
    assert order == [(t, camera) for t in range(3) for camera in ("top", "left_wrist")]
    assert seen == [(t, ("top", "left_wrist"), 2 * (t + 1)) for t in range(3)]


@pytest.mark.parametrize(
    ("change", "facts"),
    [
        (lambda f: f.pop("top"), {"got": ("left_wrist",), "expected": ("top", "left_wrist")}),
        (lambda f: f["top"].pop(), {"camera": "top", "step": 5, "got": "no frame", "expected": (24, 32, 3)}),
        (lambda f: f["top"].append(f["top"][0]), {"camera": "top", "expected": 6}),
        (
            lambda f: f["top"].insert(2, f["top"][0][:-1]),
            {"camera": "top", "step": 2, "got": "uint8 of shape (23, 32, 3)", "expected": (24, 32, 3)},
        ),
        (
            lambda f: f["top"].insert(2, f["top"][0] / 255),
            {"camera": "top", "step": 2, "got": "float64 of shape (24, 32, 3)", "expected": (24, 32, 3)},
        ),
    ],
)
def test_wrong_frames_are_refused_and_leave_nothing(path, change, facts):
    episode = make_episode()
    frames = make_frames(episode)
    change(frames)
    with pytest.raises(DatasetError) as error:
        write_episode(path, episode, frames, "lossless")
    assert error.value.facts == {"path": path, **facts} and str(path) in str(error.value)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("qpos", np.zeros((5, 14), np.float32)),
        ("qvel", np.zeros((6, 13), np.float32)),
        ("states", np.zeros((6, 60))),
        ("ee_actions", np.zeros((6, 16))),
        ("stages", np.zeros(7, np.int64)),
    ],
)
def test_fields_that_do_not_fit_are_refused(path, name, array):
    episode = make_episode(**{name: array})
    with pytest.raises(DatasetError) as error:
        write_episode(path, episode, make_frames(episode), "lossless")
    facts = error.value.facts
    assert facts["got"] == (array.dtype, array.shape) != facts["expected"] and facts["path"] == path


def test_an_error_of_a_frame_generator_leaves_no_file(path):
    episode = make_episode()

    def broken():
        yield make_frames(episode)["top"][0]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_episode(path, episode, {**make_frames(episode), "top": broken()}, "lossless")
    assert list(path.parent.iterdir()) == []


def test_unknown_names_and_steps(path):
    episode = make_episode()
    with pytest.raises(UnknownNameError, match="Did you mean 'lossless'"):
        write_episode(path, episode, make_frames(episode), "losless")
    write(path)
    with ActEpisode(path) as file:
        with pytest.raises(UnknownNameError, match="Did you mean 'left_wrist'"):
            file.frame("left_wris", 0)
        for t in (-1, 6):
            with pytest.raises(UsageError) as error:
                file.frame("top", t)
            assert error.value.facts["got"] == t


def test_the_episode_outlives_its_file(path):
    episode = write(path)
    with ActEpisode(path) as file:
        read = file.episode
    assert same(read, episode)
    file.close()


LONG = 400
LARGEST = 20e6  # [B]


@pytest.mark.slow
def test_a_rendered_episode_is_small_and_exact(tmp_path):
    # Both arms swing through the view, so that the images are as busy as those of a task.
    env = make("insertion", cameras=("top",), image_size=(480, 640))
    observation = env.reset(0)
    start, states = observation.qpos, [observation.state]
    for t in range(LONG):
        swing = 0.4 * np.sin(t / 60 + np.arange(14)) - 0.4 * np.sin(np.arange(14))
        states.append(env.step((start + swing).astype(np.float32)).observation.state)
    episode = make_episode(steps=LONG, spec=env.spec, states=np.array(states))
    path = tmp_path / "episode_0.hdf5"
    write_episode(path, episode, {"top": (env.render(state, "top") for state in states[:-1])}, "lossless")
    assert path.stat().st_size <= LARGEST
    with ActEpisode(path) as file:
        for t in (0, 123, LONG - 1):
            assert np.array_equal(file.frame("top", t), env.render(states[t], "top"))
