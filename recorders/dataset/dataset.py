"""A dataset folder: dataset.json, attempts.jsonl and the episode files."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import groupby
from pathlib import Path

from ambidex.atomic_files import read_complete_lines
from ambidex.envs.types import EnvSpec
from ambidex.errors import DatasetError
from ambidex.output_folder import row_from_line
from ambidex.recorders.dataset.attempt import Attempt
from ambidex.recorders.dataset.episode import StoredEpisode
from ambidex.recorders.dataset.info import DATASET_JSON, DatasetInfo
from ambidex.recorders.dataset.repair import again
from ambidex.recorders.formats.libero.format import DemoFile
from ambidex.recorders.formats.libero.layout import within_file
from ambidex.recorders.formats.registry import format_named, format_of
from ambidex.text import pluralize

ATTEMPTS = "attempts.jsonl"


def read(path: str | Path) -> "StoredEpisode | DemoFile | Dataset":
    """Open an episode file, a file of several episodes, or a dataset folder, of any format.

    Args:
        path: A file, a folder, or FILE/demo_I for one episode of a LIBERO file.

    Raises:
        DatasetError: Nothing there, damaged, or not recorded by this project.
    """
    path = Path(path)
    if path.is_dir():
        return Dataset(path)
    found = format_of(path)
    several = not within_file(path) and found.episodes_in(path) != [path]
    return DemoFile(path) if several else found.open(path)


def read_attempts(directory: Path) -> list[Attempt]:
    """The complete rows of attempts.jsonl in order; empty if there is no such file.

    Raises:
        DatasetError: A row is damaged.
    """
    return [row_from_line(Attempt, line, ATTEMPTS) for line in read_complete_lines(directory / ATTEMPTS)]


class Dataset:
    """A recorded dataset. Episodes are opened when asked for; close them, or use them in `with`.

    Attributes:
        directory: The folder.
        info: Its dataset.json.
        format: How it is laid out.
        paths: Its episodes, by index: files, or FILE/demo_I where one file holds several.
    """

    def __init__(self, directory: Path) -> None:
        """Read dataset.json and look which episodes there are.

        Raises:
            DatasetError: dataset.json is missing or damaged, or the dataset is complete but an episode is missing.
            UnknownNameError: It is of a format that this version does not know.
        """
        self.directory = directory
        self.info = DatasetInfo.read(directory)
        self.format = format_named(self.info.format)
        found = self.format.find(directory)
        self.paths = tuple(found.values())
        missing = sorted(set(range(self.info.episodes)) - set(found))
        if self.info.complete and missing:
            raise DatasetError(
                f"{self.format.episode_path(directory, missing[0])} is missing: dataset.json counts "
                f"{pluralize(self.info.episodes, 'episode')}, {len(missing)} of them not there. Restore what is missing, "
                f"or let this bring it back: {again(directory / DATASET_JSON)}"
            )

    @property
    def spec(self) -> EnvSpec:
        """The spec all episodes share."""
        return self.info.env_spec

    @cached_property
    def attempts(self) -> tuple[Attempt, ...]:
        """The rows of attempts.jsonl.

        Raises:
            DatasetError: A row is damaged.
        """
        return tuple(read_attempts(self.directory))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> StoredEpisode:
        return self.format.open(self.paths[index])

    def __iter__(self) -> Iterator[StoredEpisode]:
        """Each episode in turn, open while it is its turn."""
        for path in self.paths:
            with self.format.open(path) as stored:
                yield stored


# FOLDED recorders.dataset_folders: The datasets within a folder, and the words that name them in a command.

DEPTHS = ("*", "*/*")  # a suite's folder, and one with such folders in it


def dataset_folders(folder: Path) -> list[Path]:
    """The dataset that a folder is, or those in it: of a suite, or of several tasks and suites.

    Args:
        folder: Any folder.

    Returns:
        In the order of their paths; empty if there is none.
    """
    if (folder / DATASET_JSON).is_file():
        return [folder]
    return sorted(file.parent for depth in DEPTHS for file in folder.glob(f"{depth}/{DATASET_JSON}"))


def in_words(datasets: Sequence[Path]) -> str:
    """What to write into a command to name some datasets: FOLDER/* for all that is in a folder."""
    return " ".join(_named(folder, list(inside)) for folder, inside in groupby(datasets, lambda path: path.parent))


def _named(folder: Path, datasets: Sequence[Path]) -> str:
    shown = {path for path in folder.iterdir() if not path.name.startswith(".")}
    if len(datasets) > 1 and shown == set(datasets):
        return f"{folder}/*"
    return " ".join(map(str, datasets))
