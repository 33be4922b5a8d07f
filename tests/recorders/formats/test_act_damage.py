"""Damaged, edited and foreign episode files: each part is read as it was written, or refused with its name."""

import json
import os
import shutil

import h5py
import numpy as np
import pytest
from synthetic_episode import make_episode, make_frames, same

from ambidex.errors import DatasetError
from ambidex.recorders.formats.act import ActEpisode, write_episode
from ambidex.recorders.formats.registry import read_episode

EPISODE = make_episode()
COUNT = 150  # of damaged files


@pytest.fixture(scope="module", params=["lossless", "raw", "jpeg"])
def good(request, tmp_path_factory):
    """A good file, its bytes and its frames."""
    path = tmp_path_factory.mktemp("good") / "episode_0.hdf5"
    write_episode(path, EPISODE, make_frames(EPISODE), request.param)
    with ActEpisode(path) as file:
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
    return error.value


def check_each_part_is_right_or_refused(path, frames):
    """Returns how many of its parts a damaged file still gives."""
    right = 0
    try:
        file = ActEpisode(path)
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
    for length in np.linspace(0, len(content) - 1, COUNT, dtype=int):
        path.write_bytes(content[:length])
        check_each_part_is_right_or_refused(path, frames)
    path.write_bytes(content[: len(content) // 2])
    assert "truncated" in str(refusal(path))


def test_changed_bytes_are_noticed_or_harmless(good, tmp_path):
    _, content, frames = good
    path = tmp_path / "changed.hdf5"
    rng = np.random.default_rng(0)
    right = 0
    for _ in range(COUNT):
        changed = np.frombuffer(content, np.uint8).copy()
        start, length = rng.integers(len(content)), int(rng.choice([1, 2, 64, 512]))
        changed[start : start + length] = rng.integers(256, size=len(changed[start : start + length]))
        path.write_bytes(changed)
        right += check_each_part_is_right_or_refused(path, frames)
    assert 0 < right < COUNT * (len(frames) + 1)  # some parts were damaged, and many were not


def test_a_damaged_frame_is_named(path):
    with h5py.File(path) as file:
        chunk = file["observations/images/top"].id.get_chunk_info(3)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset + chunk.size // 2] ^= 0xFF
    path.write_bytes(content)
    with ActEpisode(path) as file:
        file.frame("top", 2)
        with pytest.raises(DatasetError) as error:
            file.frame("top", 3)
    assert error.value.facts["field"] == "/observations/images/top, frame 3"


def test_a_damaged_field_is_named(path):
    with h5py.File(path) as file:
        offset = file["observations/qvel"].id.get_offset()
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)
    assert refusal(path).facts["field"] == "/observations/qvel"


@pytest.mark.parametrize(("content", "words"), [(b"", "an empty file"), (b"PK\x03\x04 no", "no HDF5 file")])
def test_other_files_are_refused(tmp_path, content, words):
    path = tmp_path / "episode_0.hdf5"
    path.write_bytes(content)
    assert words in str(refusal(path))


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    assert "No such file" in str(refusal(tmp_path / "episode_9.hdf5"))
    assert "directory" in str(refusal(tmp_path))


def edit(path, change):
    """Change a file as another tool would: the result has no checksum."""
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
    ("change", "field"),
    [
        (lambda f: f.__delitem__("states"), "field /states"),
        (lambda f: f.__delitem__("observations/images/top"), "field /observations/images/top"),
        (lambda f: f.attrs.__delitem__("env_spec"), "attribute 'env_spec'"),
        (lambda f: f.attrs.__setitem__("format_version", 1), "format_version"),
        (lambda f: f.attrs.__setitem__("format_version", "x"), "attribute 'format_version'"),
        (lambda f: f.attrs.__setitem__("env_spec", "{"), "attribute 'env_spec'"),
        (lambda f: f.attrs.__setitem__("env_spec", json.dumps({"task": "insertion"})), "attribute 'env_spec'"),
        (lambda f: f.attrs.__setitem__("seed", 4), "attributes"),
        (lambda f: f.attrs.__setitem__("outcome", "maybe"), "attribute 'outcome'"),
        (lambda f: f["action"].__setitem__((0, 0), 9.0), "/action"),
    ],
)
def test_edited_files_are_refused_with_the_field(path, change, field):
    edit(path, change)
    assert refusal(path).facts["field"] == field


def test_another_version_is_refused_with_both(path):
    edit(path, lambda file: file.attrs.__setitem__("format_version", 1))
    facts = refusal(path).facts
    assert (facts["got"], facts["expected"]) == (1, 2)


@pytest.mark.parametrize(
    ("name", "array", "field", "expected"),
    [
        ("action", np.zeros((5, 14), np.float32), "/observations/qpos", (np.float32, (5, 14))),
        ("observations/qvel", np.zeros((5, 14), np.float32), "/observations/qvel", (np.float32, (6, 14))),
        ("states", np.zeros((6, 60)), "/states", (np.float64, (7, 60))),
        ("stages", np.zeros(7, np.float32), "/stages", (np.int8, (7,))),
        ("action", np.float32(3), "/action", (np.float32, (0, 14))),
        (
            "observations/images/top",
            np.zeros((6, 24, 30, 3), np.uint8),
            "/observations/images/top",
            (np.uint8, (6, 24, 32, 3)),
        ),
    ],
)
def test_wrong_shapes_and_types_are_refused_with_the_field(path, name, array, field, expected):
    def replace(file):
        del file[name]
        file[name] = array

    edit(path, replace)
    facts = refusal(path).facts
    assert facts["field"] == field and facts["expected"] == expected
    assert str(facts["got"]) != str(facts["expected"])


def test_a_file_that_another_program_has_open_for_writing_is_in_use_and_not_damaged(path):
    with h5py.File(path, "r+"):
        error = refusal(path)
    assert "in use" in error.problem and "damaged" not in str(error) and "again:" not in error.hint
    assert same(read_episode(path), EPISODE)


def test_a_file_whose_writer_was_killed_before_it_wrote_anything_is_read(path):
    content = bytearray(path.read_bytes())
    content[20] = 1  # what HDF5 leaves there
    path.write_bytes(content)
    assert same(read_episode(path), EPISODE)
    content[24] ^= 1
    path.write_bytes(content)
    assert "checksum" in refusal(path).problem


def external_link(file, fifo):
    file["more"] = h5py.ExternalLink("episode_1.hdf5", "/action")


def external_storage(file, fifo):
    del file["states"]
    file.create_dataset("states", (7, 60), "f8", external=[(str(fifo), 0, h5py.h5f.UNLIMITED)])


def virtual_dataset(file, fifo):
    del file["states"]
    layout = h5py.VirtualLayout((7, 60), "f8")
    layout[:] = h5py.VirtualSource("episode_1.hdf5", "states", (7, 60))
    file.create_virtual_dataset("states", layout)


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        (external_link, "/more", "an external link to /action of episode_1.hdf5"),
        (external_storage, "/states", "external storage in"),
        (virtual_dataset, "/states", "data of episode_1.hdf5"),
    ],
)
def test_data_in_other_files_are_refused_and_not_read(path, tmp_path, change, field, words):
    os.mkfifo(tmp_path / "fifo")  # opening it blocks
    edit(path, lambda file: change(file, tmp_path / "fifo"))
    error = refusal(path)
    assert error.facts["field"] == field and words in error.problem


def test_a_fifo_is_no_episode_file(tmp_path):
    os.mkfifo(tmp_path / "episode_0.hdf5")
    assert "no regular file" in str(refusal(tmp_path / "episode_0.hdf5"))


@pytest.mark.parametrize(
    ("name", "at", "facts"),
    [
        ("action", (4, 3), {"field": "/action", "step": 4, "dimension": 3}),
        ("states", (6, 59), {"field": "/states", "step": 6, "dimension": 59}),
    ],
)
def test_a_number_that_is_not_finite_is_named_and_not_written(path, name, at, facts):
    edit(path, lambda file: file[name].__setitem__(at, np.nan))
    assert facts.items() <= refusal(path).facts.items()
    field = {"action": "joint_actions", "states": "states"}[name]
    array = getattr(EPISODE, field).copy()
    array[at] = np.inf
    with pytest.raises(DatasetError) as error:
        write_episode(path, make_episode(**{field: array}), make_frames(EPISODE), "lossless")
    assert facts.items() <= error.value.facts.items()


def test_states_of_gigabytes_in_a_small_file_are_refused_before_they_are_read(path):
    def inflate(file):
        del file["states"]
        file.create_dataset("states", (7, 200_000_000), "f8", chunks=(1, 1_000_000), compression="gzip")

    edit(path, inflate)
    assert path.stat().st_size < 1_000_000
    with ActEpisode(path) as file:
        assert file.state_size == 200_000_000
    error = refusal(path)
    assert error.facts["field"] == "/states" and "11200 MB" in error.problem
