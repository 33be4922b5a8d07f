"""Folders that commands write: the lock, what may be written over, and the file that describes them."""

import errno
import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

import ambidex
from ambidex.errors import DatasetError, UsageError
from ambidex.output_folder import LOCK, FolderInfo, check_output_folder, exclusive_lock, row_from_line, row_to_line

MARKER = "about.json"
HOLDER = """
import sys
from pathlib import Path
from ambidex.output_folder import exclusive_lock
with exclusive_lock(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True, kw_only=True)
class Flags:
    path: str = "x"
    count: int = 3
    names: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Fraction:
    share: float


@dataclass(frozen=True, kw_only=True)
class About(FolderInfo):
    file_name = MARKER
    format_version = 2
    folder_kind = "a collection"
    written_by = "collect"

    command: str
    config: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


def test_the_lock_keeps_others_out_and_leaves_nothing(tmp_path):
    folder = tmp_path / "new"
    with exclusive_lock(folder):
        assert (folder / LOCK).exists()
        with pytest.raises(DatasetError) as caught, exclusive_lock(folder):
            pass
        assert caught.value.facts["path"] == folder
    assert not folder.exists()
    with exclusive_lock(folder):
        (folder / "a").touch()
    assert [path.name for path in folder.iterdir()] == ["a"]


def test_the_lock_of_a_killed_process_is_released(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(DatasetError), exclusive_lock(tmp_path):
            pass
        holder.kill()
    with exclusive_lock(tmp_path):
        pass


def test_a_lock_file_that_was_removed_before_it_was_locked_is_not_used(tmp_path, monkeypatch):
    holder, flock = ExitStack(), fcntl.flock

    def flock_after_the_holder_ended(descriptor, operation):
        monkeypatch.setattr(fcntl, "flock", flock)
        os.link(tmp_path / LOCK, tmp_path / "other-name")  # NFS too leaves a removed file that is open another name
        holder.close()
        return flock(descriptor, operation)

    holder.enter_context(exclusive_lock(tmp_path))
    monkeypatch.setattr(fcntl, "flock", flock_after_the_holder_ended)
    with exclusive_lock(tmp_path), pytest.raises(DatasetError), exclusive_lock(tmp_path):
        pass
    assert not (tmp_path / LOCK).exists()


@pytest.mark.parametrize("reason", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_an_error_that_says_so(tmp_path, monkeypatch, reason):
    def flock(descriptor, operation):
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(DatasetError, match="no locks") as caught, exclusive_lock(tmp_path / "new"):
        pass
    assert caught.value.facts["path"] == tmp_path / "new" and "local disk" in caught.value.hint


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError) as caught, exclusive_lock(tmp_path / "file" / "inside"):
        pass
    assert caught.value.facts["path"] == tmp_path / "file" / "inside"


def test_only_an_empty_folder_or_a_run_to_resume_is_written_into(tmp_path):
    for resume in (False, True):
        check_output_folder(tmp_path / "missing", MARKER, resume=resume)
        check_output_folder(tmp_path, MARKER, resume=resume)
    (tmp_path / ".x.tmp-3").touch()
    (tmp_path / LOCK).touch()
    check_output_folder(tmp_path, MARKER, resume=False)
    (tmp_path / "thesis.tex").touch()
    for resume in (False, True):
        with pytest.raises(UsageError, match=r"thesis\.tex"):
            check_output_folder(tmp_path, MARKER, resume=resume)
    (tmp_path / MARKER).touch()
    check_output_folder(tmp_path, MARKER, resume=True)
    with pytest.raises(UsageError) as caught:
        check_output_folder(tmp_path, MARKER, resume=False)
    assert caught.value.facts["got"] == [MARKER, "thesis.tex"] and "--resume" in caught.value.hint


def test_the_info_of_a_folder_is_read_back(tmp_path):
    about = About(command="collect y --count 4", config={"path": "y", "count": 4})
    about.write(tmp_path)
    assert About.read(tmp_path) == about
    assert About.read(tmp_path).settings("collect", Flags) == Flags(path="y", count=4)


def test_a_file_without_format_version_is_read_and_written_anew_with_it(tmp_path):
    (tmp_path / MARKER).write_text('{"command": "collect"}')
    about = About.read(tmp_path)
    assert about == About(command="collect") and About.format_version == 2
    about.write(tmp_path)
    assert json.loads((tmp_path / MARKER).read_text()) == {
        "format_version": 2,
        "command": "collect",
        "config": {},
        "versions": {},
    }


@pytest.mark.parametrize(
    ("change", "written"),
    [
        ({"format_version": 3, "versions": {"ambidex": "9.0.0"}}, "9.0.0"),
        ({"format_version": 3, "versions": {"ambidex": "9.0.0"}, "command": 3}, "9.0.0"),
        ({"format_version": 3}, "of unknown version"),
        ({"versions": {"ambidex": "9.0.0"}, "more": 1}, "9.0.0"),
        ({"versions": {"ambidex": "0.10.0"}, "more": 1}, "0.10.0"),
    ],
)
def test_a_file_of_a_newer_version_asks_for_an_update(tmp_path, change, written):
    (tmp_path / MARKER).write_text(json.dumps({"command": "collect", **change}))
    with pytest.raises(DatasetError) as caught:
        About.read(tmp_path)
    assert caught.value.facts == {"path": tmp_path / MARKER, "got": written, "expected": ambidex.__version__}
    assert "newer" in caught.value.problem and caught.value.hint == "Update ambidex."


@pytest.mark.parametrize(
    "change", [{"format_version": "2"}, {"more": 1}, {"versions": 3}, {"versions": {"ambidex": 3}}]
)
def test_an_unknown_field_in_a_file_that_is_not_newer_is_damage(tmp_path, change):
    (tmp_path / MARKER).write_text(json.dumps({"command": "", "versions": {"ambidex": ambidex.__version__}, **change}))
    with pytest.raises(DatasetError) as caught:
        About.read(tmp_path)
    assert "Restore" in caught.value.hint


@pytest.mark.parametrize("config", [{}, {"path": "x", "count": 5}])
def test_flags_come_from_the_config_or_in_older_files_from_the_command(config):
    @dataclass(frozen=True, kw_only=True)
    class Count:
        count: int = 3
        path: str = "x"

    about = About(command="collect --count 5", config=config)
    assert about.settings("collect", Count) == Count(count=5)
    with pytest.raises(UsageError) as caught:
        about.settings("render", Count)
    assert caught.value.facts["got"] == "collect --count 5"


def test_flags_of_another_version_are_an_error():
    with pytest.raises(DatasetError, match="flux: unknown field"):
        About(command="collect", config={"flux": 1}).settings("collect", Flags)


def test_a_folder_without_info_says_what_was_expected(tmp_path):
    with pytest.raises(DatasetError, match="no such folder"):
        About.read(tmp_path / "missing")
    with pytest.raises(DatasetError, match=MARKER):
        About.read(tmp_path)
    for name in "abcde":
        (tmp_path / name).mkdir()
        About(command="collect").write(tmp_path / name)
    with pytest.raises(DatasetError) as caught:
        About.read(tmp_path)
    assert caught.value.facts["expected"] == [str(tmp_path / name) for name in "abcde"]
    assert "and 2 more" in str(caught.value)


@pytest.mark.parametrize("content", ["", "[]", '{"config": {}}', '{"command": 3}', '{"command": "", "x": 1}', "\xff"])
def test_damaged_info_is_an_error_that_names_the_file(tmp_path, content):
    (tmp_path / MARKER).write_text(content, encoding="latin-1")
    with pytest.raises(DatasetError) as caught:
        About.read(tmp_path)
    assert caught.value.facts["path"] == tmp_path / MARKER


def test_rows():
    row = Flags(path="ü", names=("a", "b"))
    line = row_to_line(row, "rows.jsonl")
    assert row_from_line(Flags, line, "rows.jsonl") == row and "ü" in line
    for line in ("", "{", '{"count": "x"}'):
        with pytest.raises(DatasetError, match=r"rows\.jsonl") as caught:
            row_from_line(Flags, line, "rows.jsonl")
        assert caught.value.facts["got"] == line


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_not_finite_is_not_written(tmp_path, number):
    with pytest.raises(DatasetError, match="not finite") as caught:
        row_to_line(Fraction(share=number), "rows.jsonl")
    assert caught.value.facts["path"] == "rows.jsonl"
    with pytest.raises(DatasetError) as caught:
        About(command="collect", config={"share": number}).write(tmp_path)
    assert caught.value.facts["path"] == tmp_path / MARKER and not any(tmp_path.iterdir())
