import errno
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ambidex.atomic_files import (
    append_line,
    read_complete_lines,
    remove_leftovers,
    replacing,
    replacing_folder,
    write_json,
    write_text,
)
from ambidex.errors import DatasetError


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "episode_3.hdf5"
    with replacing(path) as temporary:
        temporary.write_text("half")
        assert names(path.parent) == [f".episode_3.hdf5.tmp-{os.getpid()}"]
        temporary.write_text("whole")
    assert names(path.parent) == ["episode_3.hdf5"] and path.read_text() == "whole"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_exception_the_old_file_is_there_and_nothing_else(tmp_path, error):
    path = tmp_path / "a.json"
    path.write_text("old")

    def fail():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert names(tmp_path) == ["a.json"] and path.read_text() == "old"


def write_folder(path, text):
    with replacing_folder(path) as temporary:
        (temporary / "inner").mkdir()
        (temporary / "inner" / "a").write_text(text)


def test_a_folder_appears_only_when_it_is_whole_and_replaces_an_earlier_one(tmp_path):
    for text in ("old", "new"):
        write_folder(tmp_path / "8", text)
        assert names(tmp_path) == ["8"] and (tmp_path / "8" / "inner" / "a").read_text() == text


@pytest.mark.parametrize("part", [".8.tmp-", "8"])
def test_an_earlier_folder_stays_if_a_new_one_cannot_be_put_in_its_place(tmp_path, monkeypatch, part):
    write_folder(tmp_path / "8", "old")
    rename = Path.rename

    def failing(path, target):
        if path.name.startswith(part) and not path.name.endswith("earlier"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)
    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(DatasetError):
        write_folder(tmp_path / "8", "new")
    assert names(tmp_path) == ["8"] and (tmp_path / "8" / "inner" / "a").read_text() == "old"


def test_after_an_exception_the_earlier_folder_is_there_and_nothing_else(tmp_path):
    write_folder(tmp_path / "8", "old")
    with pytest.raises(ValueError), replacing_folder(tmp_path / "8") as temporary:
        (temporary / "b").touch()
        raise ValueError
    assert names(tmp_path) == ["8"] and names(tmp_path / "8") == ["inner"]


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.ENOSPC, "disk is full"), (errno.EDQUOT, "quota"), (errno.EFBIG, "size limit"), (errno.EIO, "Errno 5")],
)
def test_what_the_system_refuses_is_said_in_words(tmp_path, code, words):
    path = tmp_path / "a.json"
    with pytest.raises(DatasetError, match=words) as error, replacing(path) as temporary:
        temporary.write_text("half")
        raise OSError(code, os.strerror(code))
    assert str(path) in str(error.value) and isinstance(error.value.__cause__, OSError)
    assert names(tmp_path) == []


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match="not a folder"):
        write_text(tmp_path / "file" / "a.txt", "x")


@pytest.fixture
def forbidden(tmp_path):
    """A folder this process may not write to; root becomes nobody for the while."""
    user = os.geteuid()
    tmp_path.chmod(0o500)
    if user == 0:
        os.seteuid(65534)
    yield tmp_path
    os.seteuid(user)
    tmp_path.chmod(0o700)


def test_a_folder_without_permission_is_refused(forbidden):
    with pytest.raises(DatasetError, match="permission"):
        write_text(forbidden / "a.txt", "x")
    with pytest.raises(DatasetError, match="permission"):
        append_line(forbidden / "a.jsonl", "x")


def test_json_is_readable_and_ends_in_a_newline(tmp_path):
    path = tmp_path / "dataset.json"
    write_json(path, {"b": 1, "a": [1, 2], "name": "Würfel"})
    text = path.read_text(encoding="utf-8")
    assert text.startswith('{\n  "b": 1,') and text.endswith("}\n") and "Würfel" in text
    assert json.loads(text) == {"b": 1, "a": [1, 2], "name": "Würfel"}


def test_lines_are_appended_and_read(tmp_path):
    path = tmp_path / "new" / "attempts.jsonl"
    assert read_complete_lines(path) == []
    for line in ("one", "zwei ü", ""):
        append_line(path, line)
    assert read_complete_lines(path) == ["one", "zwei ü", ""]


@pytest.mark.parametrize("rest", ["tw", "two and more than the next line", "ü"])
def test_a_line_cut_short_is_dropped_and_the_next_one_is_whole(tmp_path, rest):
    path = tmp_path / "attempts.jsonl"
    path.write_bytes(b"one\n" + rest.encode()[:-1])
    assert read_complete_lines(path) == ["one"]
    append_line(path, "two")
    assert path.read_bytes() == b"one\ntwo\n"


def test_text_that_is_none_is_refused(tmp_path):
    path = tmp_path / "attempts.jsonl"
    path.write_bytes(b"\xff\xfe\n")
    with pytest.raises(DatasetError, match=r"attempts\.jsonl"):
        read_complete_lines(path)


def test_leftovers_of_killed_processes_are_removed(tmp_path):
    for name in (".episode_3.hdf5.tmp-123", ".dataset.json.tmp-9", "episode_3.hdf5", ".hidden"):
        (tmp_path / name).write_text("")
    remove_leftovers(tmp_path)
    assert names(tmp_path) == [".hidden", "episode_3.hdf5"]
    remove_leftovers(tmp_path / "missing")


# A disk that fills up, by the limit on a file's size: the system refuses the write in the same way.

LIMITED = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from synthetic_episode import make_episode, make_frames, make_spec
from ambidex.atomic_files import append_line
from ambidex.errors import DatasetError
from ambidex.recorders.formats.act import write_episode
from ambidex.recorders.video.writer import Caption, VideoWriter

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
directory, kind = Path(sys.argv[1]), sys.argv[2]
episode = make_episode(steps=20, spec=make_spec(cameras=("top",), image_size=(48, 64)))
noise = np.random.default_rng(0).integers(0, 256, (20, 48, 64, 3), np.uint8)

def video():
    with VideoWriter(directory / "a.mp4", 50.0) as writer:
        for t, frame in enumerate(noise):
            writer.add({"top": frame}, Caption(task="insertion", seed=0, time_s=t / 50, stage="none", outcome=""))

def lines():
    for i in range(1000):
        append_line(directory / "a.jsonl", "x" * 99)

def write_twice(limit=None):
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit or hard, hard))
    for attempt in range(2):
        try:
            if kind == "video":
                video()
            elif kind == "lines":
                lines()
            else:
                write_episode(directory / "episode_0.hdf5", episode, {"top": noise}, kind)
            result = "written"
        except DatasetError as error:
            assert "size limit" in str(error) and str(directory) in str(error), error
            result = "refused"
    print(result)

if kind == "lines":
    write_twice(12_345)
else:
    write_twice()
    (file,) = directory.iterdir()
    size = file.stat().st_size
    file.unlink()
    for limit in (1, size // 2, size - 1):
        write_twice(limit)
        assert not list(directory.iterdir()), limit
"""


def run_limited(directory, kind):
    # A pipe, since the limit would also hold for a file that takes the output.
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(LIMITED), directory, kind],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert run.returncode == 0 and run.stderr == "", run.stderr  # no crash at exit, no complaint of a library
    return run.stdout.split()


@pytest.mark.parametrize("kind", ["lossless", "raw", "jpeg", "video"])
def test_when_the_disk_fills_up_there_is_an_error_and_no_file(tmp_path, kind):
    assert run_limited(tmp_path, kind) == ["written", "refused", "refused", "refused"]
    assert names(tmp_path) == []


def test_when_the_disk_fills_up_lines_stay_whole(tmp_path):
    assert run_limited(tmp_path, "lines") == ["refused"]
    assert (tmp_path / "a.jsonl").stat().st_size == 12_300
    assert read_complete_lines(tmp_path / "a.jsonl") == ["x" * 99] * 123


@pytest.fixture
def tiny_disk(tmp_path):
    """A real file system of 64 KiB."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a tmpfs needs root")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


def test_a_disk_that_is_really_full(tiny_disk):
    with pytest.raises(DatasetError, match="disk is full"):
        write_text(tiny_disk / "a.txt", "x" * 100_000)
    append_line(tiny_disk / "a.jsonl", "one")
    with pytest.raises(DatasetError, match="disk is full"):
        append_line(tiny_disk / "a.jsonl", "x" * 100_000)
    assert read_complete_lines(tiny_disk / "a.jsonl") == ["one"]
    assert names(tiny_disk) == ["a.jsonl"]
