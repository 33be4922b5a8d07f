"""The dataset formats by name, and episodes of any of them. Nothing is imported before it is asked for."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from ambidex.envs.types import EnvSpec, Episode, ImageArray
from ambidex.errors import DatasetError
from ambidex.lookup import resolve
from ambidex.recorders.dataset.episode import StoredEpisode
from ambidex.recorders.dataset.layout import Layout
from ambidex.recorders.formats.images import OnStep
from ambidex.recorders.hdf5.reading import Hdf5Source

if TYPE_CHECKING:
    from ambidex.envs.env import Environment


# FOLDED recorders.dataset_format: What a dataset format is: where its files lie, a writer and a reader.


class DatasetFormat(Protocol):
    """One way to lay out a dataset. Made without arguments; keeps at most what is costly to find out again.

    The recorder writes every successful episode into a file of its own, whole or not at all, and calls `finish` when
    no more come. Failures are written the same way, into another folder.

    Attributes:
        mark: An HDF5 group that every file of this format has at its root, and those of others have not.
    """

    mark: str

    def check(self, spec: EnvSpec, layout: Layout) -> None:
        """Raise UsageError unless episodes of such an environment can be written so."""
        ...

    def episode_path(self, directory: Path, index: int) -> Path:
        """Where the recorder writes success `index`, from 0."""
        ...

    def find(self, directory: Path) -> dict[int, Path]:
        """Index -> where that success lies, of those that are there, by index.

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
        frames: Mapping[str, Iterable[ImageArray]],
        layout: Layout,
        env: "Environment",
        on_step: OnStep | None = None,
    ) -> None:
        """Write an episode into a file of its own, whole or not at all. The same input gives the same bytes.

        Args:
            path: The file, replaced if it exists.
            episode: Everything but the pixels.
            frames: Camera -> its T frames, each (H, W, 3) uint8 RGB, upright; see `frame_steps`.
            layout: How.
            env: The world it was recorded in. Its state may be overwritten, also while frames are taken.
            on_step: Called with (t, the frames of step t by camera) after they are stored.

        Raises:
            UsageError: Such episodes cannot be written so.
            DatasetError: Something does not fit together, or the disk refuses.
        """
        ...

    def finish(self, directory: Path, task: str) -> None:
        """Put the dataset into its final form; called when no more episodes come. Safe to call twice.

        Raises:
            DatasetError: A file is damaged, or the disk refuses; nothing is lost.
        """
        ...


FORMATS: Mapping[str, str] = {
    "act": "ambidex.recorders.formats.act:ActFormat",
    "libero": "ambidex.recorders.formats.libero.format:LiberoFormat",
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
