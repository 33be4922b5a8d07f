"""How a dataset lies on disk."""

from dataclasses import dataclass
from pathlib import Path

from ambidex.envs.tasks.libero.suites import SUFFIX
from ambidex.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a dataset lies on disk.

    Attributes:
        format: Registered name, "act" or "libero".
        storage: How images are stored: "lossless", "jpeg" or "raw".
        image_convention: Order of the rows of stored images: "upright", or "opengl" for the lowest first. What is
            read back is upright either way.
    """

    format: str
    storage: str
    image_convention: str = "upright"


# FOLDED recorders.destination: Where the files of one attempt go, if it is kept.

FAILURES = "failures"
VIDEOS = "videos"


@dataclass(frozen=True, kw_only=True)
class Destination:
    """The files of one kept attempt.

    Attributes:
        episode: Its episode file.
        video: Its video; None for none.
    """

    episode: Path
    video: Path | None

    @property
    def size(self) -> int:
        """Size of its files [B]."""
        return sum(path.stat().st_size for path in (self.episode, self.video) if path is not None)


# FOLDED recorders.task_folder: What files and folders of a task are called.


def task_folder(task: str) -> str:
    """A name for a task's folder: the last part of its own, without the end of a definition file."""
    return task.rpartition("/")[2].removesuffix(SUFFIX)


def definition_name(file: Path) -> str:
    """The name of the task that a definition file holds.

    Raises:
        UsageError: It is not called so that it could be one.
    """
    if file.suffix != SUFFIX:
        raise UsageError(f"--bddl-file {file}: the name of a definition ends in {SUFFIX}. Rename it, or give another.")
    return str(file)
