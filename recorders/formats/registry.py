"""The dataset formats by name, the interface they share, and episodes of any format. Formats are imported on use."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from ambidex.envs.types import EnvSpec, Episode
from ambidex.errors import DatasetError
from ambidex.lookup import resolve
from ambidex.recorders.dataset.episode import StoredEpisode
from ambidex.recorders.dataset.layout import WriteOptions
from ambidex.recorders.formats.images import Frames, OnStep
from ambidex.recorders.formats.lerobot.layout import is_virtual
from ambidex.recorders.formats.libero.layout import is_demo_path
from ambidex.recorders.hdf5.reading import Hdf5Source

if TYPE_CHECKING:
    from ambidex.envs.env import Environment

FORMATS: Mapping[str, str] = {
    "act": "ambidex.recorders.formats.act:ActFormat",
    "libero": "ambidex.recorders.formats.libero.format:LiberoFormat",
    "lerobot": "ambidex.recorders.formats.lerobot.format:LeRobotFormat",
}


class DatasetFormat(Protocol):
    """A format of episode files: their names, a writer and a reader. Constructed without arguments.

    The recorder writes every successful episode into a file of its own, whole or not at all, and calls `finish` after
    the last. Failures are written the same way, into another folder.

    Attributes:
        root_group: An HDF5 group at the root of each file of this format, and of no other format.
        default_storage: How images are stored unless --storage says otherwise.
    """

    root_group: str
    default_storage: str

    def check(self, spec: EnvSpec, options: WriteOptions) -> None:
        """Raise UsageError unless episodes of this environment can be written with these options."""
        ...

    def episode_path(self, directory: Path, index: int) -> Path:
        """The file into which the recorder writes success `index`, from 0."""
        ...

    def find(self, directory: Path) -> dict[int, Path]:
        """The stored successes by index, as paths for `open`, in order.

        Raises:
            DatasetError: A file is damaged.
        """
        ...

    def episodes_in(self, file: Path) -> list[Path]:
        """The episodes of one file, as paths for `open`.

        Raises:
            DatasetError: The file is damaged.
        """
        ...

    def open(self, path: Path) -> StoredEpisode:
        """Open an episode.

        Raises:
            DatasetError: The file is missing, damaged, or was not recorded by this project.
        """
        ...

    def write(
        self,
        path: Path,
        episode: Episode,
        frames: Frames,
        options: WriteOptions,
        env: "Environment",
        on_step: OnStep | None = None,
    ) -> None:
        """Write an episode into a file of its own, whole or not at all. The same input gives the same bytes.

        Args:
            path: The file, replaced if it exists.
            episode: Everything but the pixels.
            frames: Of the cameras of the episode's spec; taken step by step, see `store_frames`.
            options: How to write it.
            env: The environment it was recorded in. Its state may be overwritten, also while frames are taken.
            on_step: Called with (t, the frames of step t by camera) after they are stored.

        Raises:
            UsageError: The format cannot hold this episode, or the options.
            DatasetError: Fields or frames do not fit together, or the file cannot be written.
        """
        ...

    def finish(self, directory: Path, task: str) -> None:
        """Put the dataset into its final form, after the last episode. Safe to call twice.

        Raises:
            DatasetError: A file is damaged, or cannot be written; nothing is lost.
        """
        ...


def format_named(name: str) -> DatasetFormat:
    """The format of this name.

    Raises:
        UnknownNameError: There is no such format.
    """
    return cast("type[DatasetFormat]", resolve("format", name, FORMATS))()


def format_of(path: Path) -> DatasetFormat:
    """The format of an episode file, or of the file that an episode is in.

    Raises:
        DatasetError: The file is missing, damaged, or of no known format.
    """
    if is_virtual(path):
        return format_named("lerobot")
    file = path.parent if path.parent.is_file() else path
    source = Hdf5Source(file)
    try:
        for candidate in map(format_named, FORMATS):
            if source.has(candidate.root_group):
                return candidate
    finally:
        source.close()
    hint = f"Expected one that record-episodes wrote: {', '.join(FORMATS)}."
    raise DatasetError(f"{file} is an HDF5 file of no known format.", hint, path=file)


def episode_exists(path: Path) -> bool:
    """Whether an episode exists: a file, FILE/demo_I, or FOLDER/episode_I of another program's LeRobot dataset."""
    return path.exists() or is_demo_path(path) or is_virtual(path)


def open_episode(path: Path) -> StoredEpisode:
    """Open an episode of any format; `episode_exists` says what its path may be.

    Raises:
        UsageError: A file with several episodes.
        DatasetError: The file is missing, damaged, or was not recorded by this project.
    """
    return format_of(path).open(path)


def read_episode(path: Path) -> Episode:
    """Everything of an episode but the pixels; arguments and errors as of `open_episode`."""
    with open_episode(path) as stored:
        return stored.episode
