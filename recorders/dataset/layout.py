"""Names of the files and folders of a dataset, and how its episode files are written."""

from dataclasses import dataclass
from pathlib import Path

from ambidex.envs.tasks.libero.suites import SUFFIX
from ambidex.errors import DatasetError, UsageError

FAILURES = "failures"
PARTS = "parts"  # demonstrations that are not in the file of a dataset in the libero format yet
EXTRAS = "ambidex"  # what a dataset in the lerobot format has beyond LeRobot's own
VIDEOS = "videos"
LONGEST_NAME = 200  # [B]; file systems allow 255, and endings are added


@dataclass(frozen=True, kw_only=True)
class WriteOptions:
    """How episode files are written.

    Attributes:
        format: Registered name, "act", "libero" or "lerobot".
        storage: How images are stored: "lossless", "jpeg", "jpeg-bgr", "raw", "h264" or "av1".
        image_convention: Order of the rows of stored images: "upright", or "opengl" for the lowest first. What is
            read back is upright either way.
    """

    format: str
    storage: str
    image_convention: str = "upright"


@dataclass(frozen=True, kw_only=True)
class EpisodeFiles:
    """The files of one stored attempt: its episode, and its video if it has one."""

    episode: Path
    video: Path | None

    def within(self, directory: Path) -> "EpisodeFiles":
        """The same files, if their paths are relative to this folder."""
        return EpisodeFiles(episode=directory / self.episode, video=self.video and directory / self.video)

    def relative_to(self, directory: Path) -> "EpisodeFiles":
        """Inverse of `within`."""
        video = None if self.video is None else self.video.relative_to(directory)
        return EpisodeFiles(episode=self.episode.relative_to(directory), video=video)


def task_folder(task: str) -> str:
    """The name of a task's folder: the last part of the task's name, without the suffix of a definition file.

    Raises:
        DatasetError: That is no name of a folder, as the task of a damaged file may have.
    """
    name = task.rpartition("/")[2].removesuffix(SUFFIX)
    if not (name.strip(".") and name.isprintable() and len(name.encode()) <= LONGEST_NAME):
        problem = f"{task[:LONGEST_NAME]!r} is no name of a task: files cannot be named after it."
        raise DatasetError(problem, "The file that has it is damaged. Restore it from a copy.", got=task)
    return name


def definition_task(file: Path) -> str:
    """The name of the task that a definition file describes: the path.

    Raises:
        UsageError: The file does not have the suffix of definitions.
    """
    if file.suffix != SUFFIX:
        raise UsageError(f"--bddl-file {file}: expected a file whose name ends in {SUFFIX}.", "Rename it.", got=file)
    return str(file)
