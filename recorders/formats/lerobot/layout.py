"""Names in a LeRobot dataset v3.0, and the files of an episode in it; docs/datasets.md has the whole layout.

Source: lerobot 0.6.1, lerobot/datasets/utils.py.
"""

import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

from ambidex.errors import MissingPackageError
from ambidex.recorders.dataset.layout import EXTRAS

INFO = "meta/info.json"
STATISTICS = "meta/stats.json"
TASKS = "meta/tasks.parquet"
EPISODES = "meta/episodes/chunk-000/file-000.parquet"
STATE, ACTION, IMAGES = "observation.state", "action", "observation.images."
SUCCESS = "next.success"
FILES_PER_CHUNK = 1000
PREFIX = "episode_"


def video_key(camera: str) -> str:
    """The feature of a camera."""
    return f"{IMAGES}{camera}"


def data_file(root: Path, chunk: int, file: int) -> Path:
    """The rows of some episodes."""
    return root / f"data/chunk-{chunk:03d}/file-{file:03d}.parquet"


def video_file(root: Path, key: str, chunk: int, file: int) -> Path:
    """The frames of some episodes of one feature."""
    return root / f"videos/{key}/chunk-{chunk:03d}/file-{file:03d}.mp4"


def chunk_and_file(episode: int) -> tuple[int, int]:
    """Where the rows and frames of one of our episodes are: each has files of its own."""
    return divmod(episode, FILES_PER_CHUNK)


def episode_number(path: Path) -> int:
    """The number in the name of an episode's file.

    Raises:
        ValueError: It has none.
    """
    return int(path.stem.removeprefix(PREFIX))


def root_of(path: Path) -> Path:
    """The folder in which the rows and videos of an episode file of ours are."""
    return path.parent.parent if path.parent.name == EXTRAS else path.parent


def has_metadata(folder: Path) -> bool:
    """Whether a folder is a LeRobot dataset; one of ours has dataset.json too, and others not."""
    return (folder / INFO).is_file()


def is_virtual(path: Path) -> bool:
    """Whether a path is FOLDER/episode_I: an episode of a dataset that another program wrote."""
    return re.fullmatch(rf"{PREFIX}\d+", path.name) is not None and not path.exists() and has_metadata(path.parent)


def pyarrow_module(name: str) -> ModuleType:
    """A module of this folder that needs pyarrow.

    Raises:
        MissingPackageError: It is not installed.
    """
    try:
        return import_module(f"ambidex.recorders.formats.lerobot.{name}")
    except ModuleNotFoundError as error:
        raise MissingPackageError(error, "lerobot", "A LeRobot dataset") from error
