"""Reads datasets: a folder with dataset.json, attempts.jsonl and episode files, or one of its files."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import groupby
from pathlib import Path

from ambidex.envs.types import EnvSpec, ImageArray
from ambidex.errors import DatasetError
from ambidex.lookup import item_at
from ambidex.recorders.dataset.attempts import Attempt, read_attempts
from ambidex.recorders.dataset.episode import StoredEpisode
from ambidex.recorders.dataset.info import DATASET_JSON, DatasetInfo
from ambidex.recorders.dataset.repair import missing_hint
from ambidex.recorders.formats.libero.layout import is_demo_path
from ambidex.recorders.formats.libero.reader import DemoFile
from ambidex.recorders.formats.registry import DatasetReader, foreign_kind, format_named, format_of
from ambidex.text import html_card, pluralize

DEPTHS = ("*", "*/*")  # where the datasets of a suite are, and those of a folder of suites


def read(path: str | Path) -> "StoredEpisode | DemoFile | Dataset":
    """Open an episode file, a file of several episodes, or a dataset folder, of any format.

    Args:
        path: A file, a folder, or FILE/demo_I for one episode of a LIBERO file.

    Returns:
        A `Dataset` for a folder, or a file of several episodes of another program, a `DemoFile` (a sequence of
        episodes) for a LIBERO file, else a `StoredEpisode`, which is open: close it, or use it in `with`.

    Raises:
        DatasetError: It does not exist, is damaged, or of no known format; or it is of another program and it is not
            known what it means.
    """
    path = Path(path)
    if path.is_dir():
        return Dataset(path)
    found = format_of(path)
    several = not is_demo_path(path) and found.episodes_in(path) != [path]
    if several and is_foreign(path):
        return Dataset(path)
    return DemoFile(path) if several else found.open(path)


class Dataset:
    """A recorded dataset. Indexing opens an episode; close it, or use it in `with`.

    Attributes:
        directory: The folder; of another program's dataset perhaps a file.
        info: Its dataset.json.
        format: Its format.
        paths: Its episodes, by index: files, or FILE/demo_I where one file holds several.
    """

    def __init__(self, directory: Path) -> None:
        """Read dataset.json and list the episodes.

        Raises:
            DatasetError: dataset.json is missing or damaged, or the dataset is complete but an episode is missing.
            UnknownNameError: The format is unknown to this version.
        """
        self.directory = directory
        self.info = dataset_info(directory)
        self.format = dataset_reader(directory)
        found = self.format.find(directory)
        self.paths = tuple(found.values())
        missing = self.info.missing(found)
        if missing:
            path, episodes = self.format.episode_path(directory, missing[0]), pluralize(self.info.episodes, "episode")
            problem = f"{path} is missing: dataset.json counts {episodes}, of which {len(missing)} cannot be found."
            raise DatasetError(problem, missing_hint(path), path=path, missing=tuple(missing))

    def __repr__(self) -> str:
        episodes, cameras = pluralize(len(self), "episode"), ", ".join(self.spec.cameras) or "none"
        return f"<Dataset {self.directory}: {episodes} of {self.spec.task}, cameras {cameras}>"

    def _repr_html_(self) -> str:
        """For notebooks: what it holds, and the first frames of its first episode."""
        info = self.info
        facts = {
            "instruction": self.spec.instruction,
            "robot": f"{self.spec.robot}, {self.spec.control} control at {self.spec.control_hz:g} Hz",
            "attempts": f"{info.attempts}: {info.successes} successes, {info.failures} failures, {info.errors} errors",
            "format": f"{info.format}, {info.storage}",
        }
        return html_card(repr(self), facts, self._first_frames)

    def _first_frames(self) -> dict[str, ImageArray]:
        if not self.paths:
            return {}
        with self[0] as stored:
            return {camera: stored.frame(camera, 0) for camera in stored.cameras}

    @property
    def spec(self) -> EnvSpec:
        """The spec that all episodes share."""
        return self.info.env_spec

    @cached_property
    def attempts(self) -> tuple[Attempt, ...]:
        """The rows of attempts.jsonl; for a dataset of another program one for each episode.

        Raises:
            DatasetError: A row is damaged.
        """
        if not is_foreign(self.directory):
            return tuple(read_attempts(self.directory))
        return tuple(Attempt.of_episode(stored.episode, number) for number, stored in enumerate(self))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> StoredEpisode:
        return self.format.open(item_at(self.paths, index, self))

    def __iter__(self) -> Iterator[StoredEpisode]:
        """The episodes one after the other; each is closed when the next is asked for."""
        for path in self.paths:
            with self.format.open(path) as stored:
                yield stored


def is_dataset(path: Path) -> bool:
    """Whether a folder is a dataset, or a folder or file one of another program."""
    return (path / DATASET_JSON).is_file() or is_foreign(path)


def is_foreign(path: Path) -> bool:
    """Whether a folder or file is a dataset of another program, without simulation states; an episode is none."""
    return path.exists() and foreign_kind(path) is not None


def dataset_info(path: Path) -> DatasetInfo:
    """The dataset.json of a dataset, or what it would be in one of another program.

    Raises:
        DatasetError: It is missing or damaged.
    """
    kind = foreign_kind(path)
    return kind.info(path) if kind else DatasetInfo.read(path)


def dataset_reader(path: Path) -> DatasetReader:
    """What finds and opens the episodes of a dataset; errors as of `dataset_info`."""
    return foreign_kind(path) or format_named(DatasetInfo.read(path).format)


def dataset_notes(path: Path) -> tuple[str, ...]:
    """What a user of a shard, or of a dataset of another program, should know; errors as of `dataset_info`."""
    kind = foreign_kind(path)
    if kind:
        return kind.notes(path)
    shard = DatasetInfo.read(path).shard
    return (f"{path} is shard {shard.position} of a recording; merge-datasets joins shards.",) if shard else ()


def dataset_folders(folder: Path) -> list[Path]:
    """The folder itself if it is a dataset, else the datasets in it, of a suite or several, sorted by path."""
    if is_dataset(folder):
        return [folder]
    return sorted(path for depth in DEPTHS for path in folder.glob(depth) if path.is_dir() and is_dataset(path))


def shell_arguments(datasets: Sequence[Path]) -> str:
    """Datasets as arguments of a shell command, FOLDER/* for all that a folder holds."""
    return " ".join(_arguments(folder, list(inside)) for folder, inside in groupby(datasets, lambda path: path.parent))


def _arguments(folder: Path, datasets: Sequence[Path]) -> str:
    visible = {path for path in folder.iterdir() if not path.name.startswith(".")}
    if len(datasets) > 1 and visible == set(datasets):
        return f"{folder}/*"
    return " ".join(map(str, datasets))
