"""The dataset formats by name, and episodes of any of them. Nothing is imported before it is asked for."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from ambidex.envs.registry import resolve
from ambidex.envs.types import Episode
from ambidex.errors import DatasetError
from ambidex.recorders.dataset_format import DatasetFormat
from ambidex.recorders.hdf5_source import Hdf5Source
from ambidex.recorders.stored_episode import StoredEpisode

FORMATS: Mapping[str, str] = {
    "act": "ambidex.recorders.act_format:ActFormat",
    "libero": "ambidex.recorders.libero_format:LiberoFormat",
}


def format_named(name: str) -> DatasetFormat:
    """A format.

    Raises:
        UnknownNameError: There is none of that name.
    """
    return cast("type[DatasetFormat]", resolve("format", name, FORMATS))()


def format_of(path: Path) -> DatasetFormat:
    """The format of an episode file, or of the file that an episode lies in.

    Raises:
        DatasetError: The file is missing, damaged, or of no known format.
    """
    file = path.parent if path.parent.is_file() else path
    source = Hdf5Source(file)
    try:
        for candidate in map(format_named, FORMATS):
            if source.has(candidate.mark):
                return candidate
    finally:
        source.close()
    raise DatasetError(
        f"{file} is an HDF5 file of no known format. Expected one that record-episodes wrote: {', '.join(FORMATS)}."
    )


def open_episode(path: Path) -> StoredEpisode:
    """Open an episode of any format.

    Args:
        path: An episode file, or FILE/demo_I for one of a LIBERO file.

    Raises:
        UsageError: A file with several episodes.
        DatasetError: The file is missing, damaged, or was not recorded by this project.
    """
    return format_of(path).open(path)


def read_episode(path: Path) -> Episode:
    """Everything of an episode but the pixels, as `open_episode`."""
    with open_episode(path) as stored:
        return stored.episode
