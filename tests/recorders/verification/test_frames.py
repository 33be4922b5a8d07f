"""`verify-episodes` reads every frame: damaged ones are listed by camera, in every storage."""

from dataclasses import replace

import h5py
import libero_recording
import numpy as np
import pytest
from recording_fakes import SMALL, record_to
from synthetic_episode import make_episode, make_frames

from ambidex.recorders.formats.act import write_episode
from ambidex.recorders.formats.registry import open_episode
from ambidex.recorders.verification.checks import check_frames
from ambidex.recorders.verification.verify import verify
from ambidex.recorders.verify_episodes import main

EPISODE = make_episode()
CAMERAS = EPISODE.spec.cameras


def written(path, storage, episode=EPISODE):
    write_episode(path, episode, make_frames(episode), storage)
    return path


def flip(path, camera, t, group="observations/images"):
    """Invert some bytes in the middle of a stored frame."""
    with h5py.File(path) as file:
        chunk = file[f"{group}/{camera}"].id.get_chunk_info(t)
    content = np.fromfile(path, np.uint8)
    middle = chunk.byte_offset + chunk.size // 2
    content[middle - 5 : middle + 5] ^= 0xFF
    content.tofile(path)


def frames(path):
    with open_episode(path) as stored:
        return check_frames(stored)


@pytest.mark.parametrize("storage", ["lossless", "jpeg", "raw"])
def test_each_damaged_frame_is_found_and_named(storage, tmp_path):
    path = written(tmp_path / "episode_0.hdf5", storage)
    before = frames(path)
    assert before.intact and before.count == len(CAMERAS) * EPISODE.steps and before.message == ""
    assert str(before) == "intact"
    flip(path, CAMERAS[0], 2)
    flip(path, CAMERAS[0], 4)
    flip(path, CAMERAS[-1], 3)
    found = frames(path)
    assert found.damaged == 3 and str(found) == f"3 of {before.count} damaged" and "\n" not in found.message
    assert found.message.startswith(f"Damaged images, {CAMERAS[0]} frames 2, 4; {CAMERAS[-1]} frame 3: {path}, ")


@pytest.mark.parametrize("frame", range(EPISODE.steps))
def test_an_inverted_raw_frame_is_found(frame, tmp_path):
    path = written(tmp_path / "episode_0.hdf5", "raw")
    with h5py.File(path, "r+") as file:
        images = file[f"observations/images/{CAMERAS[0]}"]
        images[frame] = 255 - images[frame]
    found = frames(path)
    assert found.damaged == 1 and f"{CAMERAS[0]} frame {frame}: " in found.message and "checksum" in found.message


def test_of_many_damaged_frames_the_first_are_listed(tmp_path):
    path = written(tmp_path / "episode_0.hdf5", "raw")
    for t in range(EPISODE.steps):
        flip(path, CAMERAS[0], t)
    assert f"{CAMERAS[0]} frames 0, 1, 2, 3, 4 and {EPISODE.steps - 5} more: " in frames(path).message


def test_an_episode_without_cameras_is_intact(tmp_path):
    episode = replace(EPISODE, spec=replace(EPISODE.spec, cameras=()))
    found = frames(written(tmp_path / "episode_0.hdf5", "lossless", episode))
    assert found.intact and found.count == 0 and str(found) == "-"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    directory = tmp_path_factory.mktemp("recorded") / "data"
    record_to(directory, SMALL, num_episodes=2, workers=0)
    return directory


def exit_status(*flags):
    with pytest.raises(SystemExit) as end:
        main([*map(str, flags), "--workers", "0"])
    return end.value.code


def test_the_command_reports_frames_and_fails_if_one_is_damaged(recorded, tmp_path, capsys):
    first, second = (tmp_path / file.name for file in sorted(recorded.glob("*.hdf5")))
    for copy in (first, second):
        copy.write_bytes((recorded / copy.name).read_bytes())
    exit_status(first, second)
    out = capsys.readouterr().out
    assert out.count("intact") == 3 and "2 have all their images intact." in out
    flip(second, "top", 7)
    assert exit_status(first, second) == 1
    out = capsys.readouterr().out
    assert "1 of 12 damaged" in out and f"Damaged images, top frame 7: {second}, " in out
    assert "2 of 2 episodes have the same states" in out and "1 have all their images intact." in out
    exit_status(first, second, "--no-pictures")
    out = capsys.readouterr().out
    assert out.count("not read") == 2 and "intact" not in out and "amaged" not in out


def test_a_damaged_frame_alone_makes_an_episode_fail(recorded, tmp_path):
    copy = tmp_path / "episode_0.hdf5"
    copy.write_bytes((recorded / copy.name).read_bytes())
    ((_, before),) = verify(copy, workers=0)
    flip(copy, "top", 0)
    ((_, after),) = verify(copy, workers=0)
    assert before.intact_frames and not after.intact_frames and not after.reproduces
    assert replace(after, frames=before.frames) == before


@pytest.mark.parametrize("storage", ["lossless", "raw"])
def test_a_damaged_frame_in_a_libero_file_is_found(storage, tmp_path):
    libero_recording.record_to(tmp_path, num_episodes=2, storage=storage, keep_failures=False, workers=0)
    (file,) = tmp_path.glob("*_demo.hdf5")
    flip(file, "agentview_rgb", 3, "data/demo_1/obs")
    good, bad = (result for _, result in verify(tmp_path, workers=0))
    assert good.frames.intact and bad.frames.damaged == 1 and "agentview frame 3: " in bad.frames.message
    assert f"{file}/demo_1, " in bad.frames.message and "record-episodes --resume" in bad.frames.message


@pytest.mark.parametrize("storage", ["raw", "jpeg"])
def test_images_without_checksums_are_reported_as_unchecked(storage, tmp_path):
    path = written(tmp_path / "episode_0.hdf5", storage)
    with h5py.File(path, "r+") as file:
        del file["image_crc32"]
        images = file["observations/images"]
        for camera in CAMERAS:
            rows = images[camera][()]
            del images[camera]
            images.create_dataset(camera, data=rows, chunks=(1, *rows.shape[1:]))
    without_seal(path)
    found = frames(path)
    assert found.intact and str(found) == "unchecked" and found.unchecked == found.count
    flip(path, CAMERAS[0], 2)
    assert frames(path).damaged == (1 if storage == "jpeg" else 0)


def test_of_repacked_images_those_with_checksums_of_their_own_are_checked(tmp_path):
    path = written(tmp_path / "episode_0.hdf5", "lossless")
    with h5py.File(path, "r+") as file:
        images = file["observations/images"]
        pixels = images[CAMERAS[0]][()]
        del images[CAMERAS[0]]
        images.create_dataset(CAMERAS[0], data=pixels, compression="lzf")
    without_seal(path)
    assert str(frames(path)) == f"{EPISODE.steps} of {2 * EPISODE.steps} unchecked"


def without_seal(path):
    """Repack a file as other programs do, which leave out our checksum of its structure."""
    with h5py.File(path) as old, h5py.File(path.with_suffix(".new"), "w") as new:
        new.attrs.update(old.attrs)
        for name in old:
            old.copy(name, new)
    path.with_suffix(".new").replace(path)
