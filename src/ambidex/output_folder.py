"""Folders that a command writes: one process at a time, never over something else, described by a JSON file."""

import errno
import os
import platform
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from filelock import BaseFileLock, FileLock, Timeout

import ambidex
from ambidex.atomic_files import TEMPORARY, json_text, read_bytes, read_complete_lines, write_error, write_json
from ambidex.codec import from_json, parse, to_json
from ambidex.errors import AmbidexError, DatasetError, MissingDatasetError, UsageError
from ambidex.text import first_few
from ambidex.worker_pool.ending import end_if_importing_script

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Settings = TypeVar("Settings", bound="DataclassInstance")
SIMULATION_PACKAGES = ("mujoco", "numpy", "h5py")
TRAINING_PACKAGES = ("torch", "numpy", "safetensors", "h5py")
FORMAT_VERSION = "format_version"
LOCK = ".lock"
WAIT_S = 0.1  # for the lock: another process may just be releasing it
ATTEMPTS = 10  # to lock a file that is still in the folder
NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})


@contextmanager
def exclusive_lock(directory: Path) -> Iterator[None]:
    """Make the folder if it is missing and keep other processes from writing into it, until the block ends.

    The system releases the lock of a process that dies. A folder that was made here and is still empty is removed.

    Raises:
        DatasetError: The folder cannot be made or written to, its file system has no locks, or another process writes
            into it.
    """
    end_if_importing_script()
    existed = directory.exists()
    try:
        lock = _lock(directory)
    except Timeout as error:
        problem = f"Another process is writing into {directory}."
        raise DatasetError(problem, "Wait until it has ended, or give another --output-dir.", path=directory) from error
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise write_error(directory, error) from error
        problem = f"{directory} cannot be locked against other processes: its file system has no locks ({error})."
        hint = "Give an --output-dir on a local disk, or mount this file system with locks."
        raise DatasetError(problem, hint, path=directory) from error
    try:
        yield
    finally:
        with suppress(OSError):
            (directory / LOCK).unlink()  # under the lock: a process that waits for it opens a new file
        lock.release()
        if not existed:
            with suppress(OSError):
                directory.rmdir()


def _lock(directory: Path) -> BaseFileLock:
    """Lock the file that is in the folder now: the process that held it may have removed the one that we opened."""
    path = directory / LOCK
    held: list[int] = []
    lock = FileLock(path, WAIT_S, poll_interval=WAIT_S / 10, fallback_to_soft=False, on_acquired=held.append)
    for _ in range(ATTEMPTS):
        directory.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            lock.acquire()
            if os.path.samestat(os.fstat(held[-1]), path.stat()):
                return lock
        lock.release()
    raise Timeout(str(path))


def check_output_folder(directory: Path, marker: str, *, resume: bool) -> None:
    """Refuse a folder that holds something, unless a run is to be resumed in it; it may be missing.

    The marker is the file that every run of this command writes into its folder.

    Raises:
        UsageError: The folder holds something else, or a run that is not to be resumed.
    """
    end_if_importing_script()
    content = _content(directory)
    if not content or (resume and marker in content):
        return
    listed = first_few(content, separator=", ")
    if resume:
        problem = f"--resume: there is nothing to resume in {directory}. It has no {marker}, but {listed}."
        hint = "Give the --output-dir of the run to resume, or an empty folder."
        raise UsageError(problem, hint, path=directory, expected=marker)
    advice = "Resume it with --resume, give" if marker in content else "Give"
    problem = f"{directory} is not empty: it holds {listed}."
    raise UsageError(problem, f"{advice} another --output-dir, or remove the folder.", path=directory, got=content)


def _content(directory: Path) -> list[str]:
    if not directory.is_dir():
        return []
    return sorted(path.name for path in directory.iterdir() if path.name != LOCK and TEMPORARY not in path.name)


class FolderInfo:
    """Base of the dataclasses whose JSON stands in such files.

    Attributes:
        command: The command that made the folder, as a person would type it.
        config: Its resolved flags; empty in files of version 0.1, where the command has them.
    """

    file_name: ClassVar[str]
    format_version: ClassVar[int]
    """Grows with every change of the fields; files without it have version 1."""
    folder_kind: ClassVar[str]
    """What a folder with such a file is, e.g. "a dataset"."""
    written_by: ClassVar[str]
    """The command that writes such folders."""
    error: ClassVar[type[AmbidexError]] = DatasetError
    """What `read` raises."""

    command: str
    config: Mapping[str, Any]

    def write(self, directory: Path) -> None:
        """Write the file, whole or not at all.

        Raises:
            DatasetError: It cannot be written.
        """
        write_json(directory / self.file_name, {FORMAT_VERSION: self.format_version, **to_json(self)})

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Inverse of `write`.

        Raises:
            MissingDatasetError: There is no such file.
            DatasetError: It is damaged, or a newer version of ambidex wrote it. The type is `error`.
        """
        path, values, version = directory / cls.file_name, None, 1
        try:
            values = parse(read_bytes(path))
            if isinstance(values, dict):
                version = from_json(int, values.pop(FORMAT_VERSION, 1))
            if version <= cls.format_version:
                return from_json(cls, values)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise cls._missing(directory) from error
        except (OSError, ValueError) as error:
            if not _is_newer(_version_of_writer(values)):
                hint = f"Restore it from a copy, or run {cls.written_by} again into another folder."
                raise cls.error(f"{path} cannot be read: {error}.", hint, path=path) from error
        written, ours = _version_of_writer(values), ambidex.__version__
        problem = f"{path} was written by ambidex {written}, newer than this one ({ours})."
        raise cls.error(problem, "Update ambidex.", path=path, got=written, expected=ours)

    def settings(self, command: str, kind: type[Settings]) -> Settings:
        """The flags of a command that made the folder; those that do not change the result have their defaults.

        Raises:
            UsageError: Another command made it.
            DatasetError: Its flags are those of another version.
        """
        if not self.config:
            from ambidex.flags import parse_command  # imports tyro, which worker processes do not need

            return parse_command(command, self.command, kind)
        if self.command.split()[:1] != [command]:
            raise UsageError(f"The folder was not made by {command}, but by: {self.command}", got=self.command)
        try:
            return from_json(kind, self.config)
        except ValueError as error:
            raise DatasetError(
                f"{self.file_name} has flags of {command} that this version does not know: {error}.",
                "Use the version of ambidex that wrote it, or run again into another folder.",
            ) from error

    @classmethod
    def _missing(cls, directory: Path) -> AmbidexError:
        problem, hint = f"{directory} is not {cls.folder_kind}:", f"Expected a folder that {cls.written_by} wrote."
        if not directory.exists():
            return MissingDatasetError(f"{problem} there is no such folder.", hint, path=directory)
        inside = sorted(str(file.parent) for file in directory.glob(f"*/{cls.file_name}"))
        if inside:
            listed = first_few(inside, separator=", ")
            problem = f"{problem} it has no {cls.file_name}, but these folders in it have: {listed}."
            return MissingDatasetError(problem, "Name one of them.", path=directory, expected=inside)
        return MissingDatasetError(f"{problem} it has no {cls.file_name}.", hint, path=directory)


def _version_of_writer(values: object) -> str:
    """The version of ambidex that wrote a file with `versions`; "of unknown version" for others."""
    packages = values.get("versions") if isinstance(values, dict) else None
    version = packages.get("ambidex") if isinstance(packages, dict) else None
    return version if isinstance(version, str) else "of unknown version"


def _is_newer(version: str) -> bool:
    released, ours = (
        [int(number) for number in re.findall(r"\d+", each)[:3]] for each in (version, ambidex.__version__)
    )
    return released > ours


def read_rows(kind: type[Settings], path: Path, name: Callable[[Settings], str]) -> list[Settings]:
    """The complete rows of a JSON Lines file in order; empty if there is no such file. `name` says what a row is of.

    Raises:
        DatasetError: It cannot be read, a row is damaged, or two rows are of the same episode.
    """
    rows = [row_from_line(kind, line, path.name) for line in read_complete_lines(path)]
    repeated = [episode for episode, count in Counter(map(name, rows)).items() if count > 1]
    if repeated:
        problem = f"{path}: {repeated[0]} has more than one row, so the file was changed after the run."
        hint = "Remove the extra rows, or run again into another folder."
        raise DatasetError(problem, hint, path=path, episode=repeated[0])
    return rows


def row_from_line(kind: type[Settings], line: str, file: str) -> Settings:
    """One row of a JSON Lines file.

    Raises:
        DatasetError: It is no such row; the message has the name of the file.
    """
    try:
        return from_json(kind, parse(line))
    except ValueError as error:
        hint = "Restore the file from a copy, or run again into another folder."
        raise DatasetError(f"Not a row of {file}: {line[:200]!r} ({error}).", hint, got=line) from error


def row_to_line(row: "DataclassInstance", file: str, left_out: Collection[str] = ()) -> str:
    """Inverse of `row_from_line`, without the end of the line; a number that is not finite is a DatasetError.

    Fields of `left_out` are not written where they are empty.
    """
    return json_text({name: value for name, value in to_json(row).items() if value or name not in left_out}, file)


def versions(packages: tuple[str, ...] = SIMULATION_PACKAGES) -> dict[str, str]:
    """Package -> version of ambidex, Python and some packages, and `platform`: system and processor type."""
    return {
        "ambidex": ambidex.__version__,
        "python": platform.python_version(),
        **{name: _installed(name) for name in packages},
        "platform": f"{platform.system()} {platform.machine()}",
    }


@cache
def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
