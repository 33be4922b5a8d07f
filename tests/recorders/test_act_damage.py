import json
import shutil

import h5py
import numpy as np
import pytest
from synthetic_episode import make_episode, make_frames, same

from ambidex.errors import DatasetError
from ambidex.recorders.formats.act import EpisodeFile, read_episode, write_episode

EPISODE = make_episode()


@pytest.fixture(scope="module", params=["lossless", "raw", "jpeg"])
def good(request, tmp_path_factory):
    """A good file, its bytes and its frames."""
    path = tmp_path_factory.mktemp("good") / "episode_0.hdf5"
    write_episode(path, EPISODE, make_frames(EPISODE), request.param)
    with EpisodeFile(path) as file:
        frames = {(camera, t): file.frame(camera, t) for camera in file.cameras for t in range(file.steps)}
    return path, path.read_bytes(), frames


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "episode_7.hdf5"
    write_episode(path, EPISODE, make_frames(EPISODE), "lossless")
    return path


def refusal(path):
    with pytest.raises(DatasetError) as error:
        read_episode(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)
    return str(error.value)


def check_each_part_is_right_or_refused(path, frames):
    """Returns how many of its parts a damaged file still gives."""
    right = 0
    try:
        file = EpisodeFile(path)
    except DatasetError:
        return right
    with file:
        try:
            assert same(file.episode, EPISODE)
            right += 1
        except DatasetError:
            pass
        for (camera, t), frame in frames.items():
            try:
                assert np.array_equal(file.frame(camera, t), frame)
                right += 1
            except DatasetError:
                pass
    return right


def test_a_truncated_file_is_refused_wherever_it_ends(good, tmp_path):
    _, content, frames = good
    path = tmp_path / "cut.hdf5"
    for length in np.linspace(0, len(content) - 1, 150, dtype=int):
        path.write_bytes(content[:length])
        check_each_part_is_right_or_refused(path, frames)
    path.write_bytes(content[: len(content) // 2])
    assert "truncated" in refusal(path)


def test_changed_bytes_are_noticed_or_do_no_harm(good, tmp_path):
    _, content, frames = good
    path = tmp_path / "changed.hdf5"
    rng = np.random.default_rng(0)
    right = 0
    for _ in range(300):
        changed = np.frombuffer(content, np.uint8).copy()
        start, length = rng.integers(len(content)), int(rng.choice([1, 2, 64, 512]))
        changed[start : start + length] = rng.integers(256, size=len(changed[start : start + length]))
        path.write_bytes(changed)
        right += check_each_part_is_right_or_refused(path, frames)
    assert 0 < right < 300 * (len(frames) + 1)  # some damage was met, and much was left


def test_a_damaged_frame_is_named(path):
    with h5py.File(path) as file:
        chunk = file["observations/images/top"].id.get_chunk_info(3)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset + chunk.size // 2] ^= 0xFF
    path.write_bytes(content)
    with EpisodeFile(path) as file:
        file.frame("top", 2)
        with pytest.raises(DatasetError, match=r"/observations/images/top, frame 3.*damaged"):
            file.frame("top", 3)


def test_a_damaged_field_is_named(path):
    with h5py.File(path) as file:
        offset = file["observations/qvel"].id.get_offset()
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)
    assert "/observations/qvel" in refusal(path)


@pytest.mark.parametrize(("content", "words"), [(b"", "an empty file"), (b"PK\x03\x04 no", "no HDF5 file")])
def test_other_files_are_refused(tmp_path, content, words):
    path = tmp_path / "episode_0.hdf5"
    path.write_bytes(content)
    assert words in refusal(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    assert "No such file" in refusal(tmp_path / "episode_9.hdf5")
    assert "directory" in refusal(tmp_path)


def test_a_file_of_the_original_code_is_foreign(tmp_path):
    path = tmp_path / "episode_0.hdf5"
    with h5py.File(path, "w") as root:
        root.attrs["sim"] = True
        root["/observations/images/top"] = np.zeros((2, 4, 4, 3), np.uint8)
        root["/observations/qpos"] = root["/observations/qvel"] = root["/action"] = np.zeros((2, 14), np.float32)
    message = refusal(path)
    assert "has no attribute 'format_version'" in message and "Only files recorded by this project" in message


def edit(path, change):
    """Change a file as another tool would: what comes out has no seal."""
    copy = path.with_suffix(".copy")
    with h5py.File(path) as old, h5py.File(copy, "w") as new:
        for name in old:
            old.copy(name, new)
        new.attrs.update(old.attrs)
        change(new)
    shutil.move(copy, path)


def test_a_copy_made_by_another_tool_is_read(path):
    edit(path, lambda file: None)
    assert same(read_episode(path), EPISODE)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.__delitem__("states"), ["has no field /states"]),
        (lambda f: f.__delitem__("observations/images/top"), ["has no field /observations/images/top"]),
        (lambda f: f.attrs.__delitem__("env_spec"), ["has no attribute 'env_spec'"]),
        (lambda f: f.attrs.__setitem__("format_version", 1), ["format_version", "got 1", "expected 2"]),
        (lambda f: f.attrs.__setitem__("format_version", "x"), ["format_version"]),
        (lambda f: f.attrs.__setitem__("env_spec", "{"), ["env_spec"]),
        (lambda f: f.attrs.__setitem__("env_spec", json.dumps({"task": "insertion"})), ["env_spec", "missing"]),
        (lambda f: f.attrs.__setitem__("seed", 4), ["attributes", "SHA-256"]),
        (lambda f: f.attrs.__setitem__("outcome", "maybe"), ["outcome", "maybe"]),
        (lambda f: f["action"].__setitem__((0, 0), 9.0), ["/action", "SHA-256"]),
    ],
)
def test_edited_files_are_refused_with_the_field(path, change, words):
    edit(path, change)
    message = refusal(path)
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("name", "array", "words"),
    [
        ("action", np.zeros((5, 14), np.float32), ["/observations/qpos", "(6, 14)", "(5, 14)"]),
        ("observations/qvel", np.zeros((5, 14), np.float32), ["/observations/qvel", "(5, 14)", "(6, 14)"]),
        ("states", np.zeros((6, 60)), ["/states", "(6, 60)", "(7, 60)"]),
        ("stages", np.zeros(7, np.float32), ["/stages", "float32", "int8"]),
        ("action", np.float32(3), ["/action"]),
        ("observations/images/top", np.zeros((6, 24, 30, 3), np.uint8), ["images/top", "(6, 24, 30, 3)"]),
    ],
)
def test_wrong_shapes_and_types_are_refused_with_the_field(path, name, array, words):
    def replace(file):
        del file[name]
        file[name] = array

    edit(path, replace)
    message = refusal(path)
    assert all(word in message for word in words), message
