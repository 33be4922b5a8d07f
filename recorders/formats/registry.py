"""The dataset formats by name, the interface they share, and episodes of any format. Formats are imported on use."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from ambidex.envs.types import EnvSpec, Episode
from ambidex.errors import DatasetError
from ambidex.lookup import resolve
from ambidex.recorders.dataset.episode import StoredEpisode
from ambidex.recorders.dataset.info import DATASET_JSON, DatasetInfo, dataset_folder
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


FOREIGN: Mapping[str, str] = {
    "lerobot": "ambidex.recorders.formats.lerobot.kind:ForeignLeRobot",
    "act": "ambidex.recorders.formats.foreign.act:ForeignAct",
    "robomimic": "ambidex.recorders.formats.foreign.robomimic:ForeignRobomimic",
}
"""The kinds of datasets of other programs."""


class DatasetReader(Protocol):
    """Finds and opens the episodes of a dataset. Constructed without arguments."""

    def episode_path(self, directory: Path, index: int) -> Path:
        """The path of success `index`, from 0; the recorder writes it there."""
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
            DatasetError: The file is missing, damaged, or it is not known what it means.
        """
        ...


class ForeignKind(DatasetReader, Protocol):
    """A kind of datasets of other programs: folders, or files, whose episodes have no simulation states.

    Attributes:
        name: Registered name.
    """

    name: str

    def holds(self, path: Path) -> bool:
        """Whether a folder or file is such a dataset."""
        ...

    def info(self, path: Path) -> DatasetInfo:
        """The dataset.json that the dataset would have.

        Raises:
            DatasetError: It is damaged, or it is not known what it means.
            MissingPackageError: A package that it needs is not installed.
        """
        ...

    def notes(self, path: Path) -> tuple[str, ...]:
        """What a user of the dataset should know; errors as of `info`."""
        ...

    def describe(self, path: Path, preset: str | None) -> Path:
        """Write a file beside the dataset in which its user says what it does not say; returns it.

        Raises:
            UsageError: There is one, this kind needs none, or the preset is unknown.
            DatasetError: The dataset is damaged, or the file cannot be written.
        """
        ...


class DatasetFormat(DatasetReader, Protocol):
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

    def write(
        self,
        path: Path,
        episode: Episode,
        frames: Frames,
        options: WriteOptions,
        env: "Environment | None",
        on_step: OnStep | None = None,
    ) -> None:
        """Write an episode into a file of its own, whole or not at all. The same input gives the same bytes.

        Args:
            path: The file, replaced if it exists.
            episode: Everything but the pixels.
            frames: Of the cameras of the episode's spec; taken step by step, see `store_frames`.
            options: How to write it.
            env: The environment it was recorded in. Its state may be overwritten, also while frames are taken. None if
                the episode has no simulation states.
            on_step: Called with (t, the frames of step t by camera) after they are stored.

        Raises:
            UsageError: The format cannot hold this episode, or the options.
            DatasetError: Fields or frames do not fit together, or the file cannot be written.
        """
        ...

    def check_mergeable(self) -> None:
        """Raise UsageError unless `gather` can put the episodes of several datasets into one."""
        ...

    def gather(self, directory: Path, task: str, episodes: Mapping[int, Path]) -> None:
        """Put stored episodes of other datasets into a folder without any, in its final form, under new numbers.

        Args:
            directory: The folder.
            task: Name of their task.
            episodes: Number -> episode, as a path for `open`; ascending.

        Raises:
            UsageError: As of `check_mergeable`.
            DatasetError: A file is damaged, or cannot be written.
            OSError: A file cannot be copied.
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


def foreign_kind(path: Path) -> ForeignKind | None:
    """The kind of a dataset of another program, of one of its files or episodes; None for anything else."""
    place = path.parent if is_virtual(path) or is_demo_path(path) else path
    if (place / DATASET_JSON).is_file() or dataset_folder(place) is not None:
        return None
    kinds = (cast("type[ForeignKind]", resolve("kind", name, FOREIGN))() for name in FOREIGN)
    return next((kind for kind in kinds if kind.holds(place)), None)


def format_of(path: Path) -> DatasetReader:
    """The format of an episode file, or of the file that an episode is in.

    Raises:
        DatasetError: The file is missing, damaged, or of no known format.
    """
    if kind := foreign_kind(path):
        return kind
    file = path.parent if path.parent.is_file() else path
    source = Hdf5Source(file)
    try:
        for candidate in map(format_named, FORMATS):
            if source.has(candidate.root_group):
                return candidate
    finally:
        source.close()
    hint = f"Expected one that record-episodes wrote, or one of {', '.join(FOREIGN)} of another program."
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
