"""Files and folders that appear whole or not at all, even if the process that writes them is killed."""

import errno
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ambidex.errors import AmbidexError, DatasetError

TEMPORARY = ".tmp-"  # in the names of files that are being written
_OTHER_FOLDER = "Choose another folder or change its permissions"
_MORE_MEMORY = "Close other programs, give fewer workers, or raise the limit of the process (`ulimit -v`)"
_CAUSES = {
    errno.ENOSPC: ("the disk is full", "Free some space or write to another disk"),
    errno.EDQUOT: ("your disk quota is used up", "Free some space or write to another disk"),
    errno.EFBIG: (
        "the file would exceed the size limit",
        "Raise it (`ulimit -f unlimited`) or write to another disk",
    ),
    errno.EACCES: ("there is no permission to write there", _OTHER_FOLDER),
    errno.EPERM: ("there is no permission to write there", _OTHER_FOLDER),
    errno.EROFS: ("the file system is read-only", "Choose another folder"),
    errno.EEXIST: ("a part of the path is a file, not a folder", "Choose another folder"),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", "Choose another folder"),
    errno.EMFILE: ("too many files are open in this process", "Raise the limit (`ulimit -n 65536`)"),
    errno.ENFILE: ("too many files are open on this machine", "Close other programs"),
    errno.ENAMETOOLONG: ("the path is too long", "Give a shorter one"),
    errno.ENOMEM: ("there is not enough memory", _MORE_MEMORY),
}
"""errno -> why a file could not be written, and what to do."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to; rename it to `path` on success, delete it on any exception.

    Missing folders are made. The temporary name is `.NAME.tmp-PID`.

    Raises:
        DatasetError: The disk is full, permission is missing, or another OSError was raised in the block.
    """
    temporary = path.with_name(f".{path.name}{TEMPORARY}{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        sync_to_disk(temporary)
        temporary.replace(path)
        sync_to_disk(path.parent)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder to write into; rename it to `path` on success, delete it on any exception.

    The temporary name is `.NAME.tmp-PID`.

    Raises:
        DatasetError: It cannot be written; an earlier folder stays.
    """
    temporary = path.with_name(f".{path.name}{TEMPORARY}{os.getpid()}")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        yield temporary
        for inner in [*temporary.rglob("*"), temporary]:
            sync_to_disk(inner)
        _put_in_place(temporary, path)
        sync_to_disk(path.parent)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def link_or_copy(source: Path, target: Path) -> None:
    """Let a file appear under another name too: a hard link where the file system has them, else a copy.

    Missing folders are made. Only for files that are never changed in place.

    Raises:
        OSError: It cannot be copied, or the target exists.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source.resolve())
    except FileExistsError:
        raise
    except OSError:  # another file system, or one without hard links
        shutil.copy2(source, target)


def write_text(path: Path, text: str) -> None:
    """Write a whole text file, UTF-8.

    Raises:
        DatasetError: It cannot be written; an earlier file stays.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, obj: object) -> None:
    """Write a whole JSON file: keys in the order given, indent 2, a newline at the end.

    Raises:
        DatasetError: It cannot be written, or a number is not finite; an earlier file stays.
    """
    write_text(path, json_text(obj, path, indent=2) + "\n")


def json_text(obj: object, file: Path | str, *, indent: int | None = None) -> str:
    """A JSON document, to be written to a file.

    Raises:
        DatasetError: A number is not finite, which JSON does not know; the message has the name of the file.
    """
    try:
        return json.dumps(obj, indent=indent, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        problem = f"{file} is not written: a number in it is not finite ({error})."
        raise DatasetError(problem, "Report it with the command that led to it.", path=file) from error


def append_line(path: Path, text: str, *, sync: bool = True) -> None:
    """Append one line in a single write. One process at a time may append to a file.

    When this returns, the line outlives the process, and with `sync` also a power failure. An incomplete last
    line, left by a killed process, is cut off first.

    Raises:
        DatasetError: It cannot be written; the file stays as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _append(descriptor, (text + "\n").encode(), sync=sync)
        finally:
            os.close(descriptor)
        if new:
            sync_to_disk(path.parent)
    except OSError as error:
        raise write_error(path, error) from error


def sync_to_disk(path: Path) -> None:
    """Have what was written to a file, or the names in a folder, outlive a power failure; raises an OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_complete_lines(path: Path) -> list[str]:
    """The lines of a text file that end in a newline; empty if there is no file.

    Raises:
        DatasetError: It cannot be read as UTF-8 text.
    """
    try:
        content = read_bytes(path)
        return content[: content.rfind(b"\n") + 1].decode().split("\n")[:-1]
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read as text: {error}.", "Restore or remove it.", path=path) from error


def remove_leftovers(directory: Path) -> None:
    """Delete the temporary files and folders of killed processes. Only while the folder is locked."""
    for leftover in directory.glob(f".*{TEMPORARY}*"):
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover)
        else:
            leftover.unlink(missing_ok=True)


def write_error(path: Path, error: OSError) -> DatasetError:
    """The error to raise when `path` could not be written."""
    cause, advice = _CAUSES.get(error.errno or 0, (str(error), "Check the path and the disk"))
    problem = f"{path} could not be written: {cause}."
    return DatasetError(problem, f"{advice}. No incomplete file is left.", path=path, errno=error.errno)


def read_error(path: Path, error: OSError) -> DatasetError:
    """The error to raise when `path` could not be read."""
    _, advice = _CAUSES.get(error.errno or 0, ("", "Check the path"))
    problem = f"{path} cannot be opened: {error.strerror or error}."
    return DatasetError(problem, f"{advice}.", path=path, errno=error.errno)


def system_error(error: OSError | MemoryError) -> AmbidexError:
    """An unexpected error of the operating system, such as too many open files, with its file and its cause."""
    if isinstance(error, MemoryError):
        return AmbidexError("There is not enough memory.", f"{_MORE_MEMORY}.")
    files = [str(file) for file in (error.filename, error.filename2) if file]
    _, advice = _CAUSES.get(
        error.errno or 0, ("", "Check the path, the disk and the limits of this process (`ulimit -a`)")
    )
    cause = error.strerror or str(error) or type(error).__name__
    return AmbidexError(f"{': '.join([*files, cause])}.", f"{advice}.", path=error.filename, errno=error.errno)


def check_regular_file(path: Path) -> None:
    """Refuse what can block a reader for ever, such as a FIFO; a folder passes, which no reader opens.

    Raises:
        OSError: It is no regular file, or does not exist.
    """
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))


def read_bytes(path: Path) -> bytes:
    """The content of a regular file; raises an OSError for anything else."""
    check_regular_file(path)
    return path.read_bytes()


def _put_in_place(folder: Path, path: Path) -> None:
    """Rename a folder; an earlier one with that name is removed afterwards, and put back if renaming fails."""
    earlier = folder.with_name(f"{folder.name}-earlier")
    if path.exists():
        path.rename(earlier)
    try:
        folder.rename(path)
    except OSError:
        if earlier.exists():
            earlier.rename(path)
        raise
    shutil.rmtree(earlier, ignore_errors=True)


def _append(descriptor: int, line: bytes, *, sync: bool) -> None:
    end = _end_of_last_line(descriptor)
    os.ftruncate(descriptor, end)
    try:
        written = os.pwrite(descriptor, line, end)
        if written < len(line):  # written in part: the second write raises the reason
            os.pwrite(descriptor, line[written:], end + written)
        if sync:
            os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, end)
        raise


def _end_of_last_line(descriptor: int) -> int:
    size = os.fstat(descriptor).st_size
    if size == 0 or os.pread(descriptor, 1, size - 1) == b"\n":
        return size
    return os.pread(descriptor, size, 0).rfind(b"\n") + 1
