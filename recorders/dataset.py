"""A dataset folder: dataset.json, attempts.jsonl and the episode files."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from ambidex.atomic_files import read_complete_lines
from ambidex.envs.errors import DatasetError
from ambidex.envs.types import EnvSpec
from ambidex.recorders.act_reader import EpisodeFile
from ambidex.recorders.attempt import Attempt
from ambidex.recorders.dataset_info import DatasetInfo

__all__ = ["ATTEMPTS", "Attempt", "Dataset", "DatasetInfo", "episode_path", "read", "read_attempts"]

ATTEMPTS = "attempts.jsonl"


def read(path: str | Path) -> "EpisodeFile | Dataset":
    """Open an episode file, or a dataset folder.

    Raises:
        DatasetError: Nothing there, damaged, or not recorded by this project.
    """
    path = Path(path)
    return Dataset(path) if path.is_dir() else EpisodeFile(path)


def episode_path(directory: Path, index: int) -> Path:
    """Where episode `index` of a dataset lies."""
    return directory / f"episode_{index}.hdf5"


def read_attempts(directory: Path) -> list[Attempt]:
    """The complete rows of attempts.jsonl in order; empty if there is no such file.

    Raises:
        DatasetError: A row is damaged.
    """
    return [Attempt.from_json(line) for line in read_complete_lines(directory / ATTEMPTS)]


class Dataset:
    """A recorded dataset. Episodes are opened when asked for; close them, or use them in `with`.

    Attributes:
        directory: The folder.
        info: Its dataset.json.
    """

    def __init__(self, directory: Path) -> None:
        """Read dataset.json and look which episodes there are.

        Raises:
            DatasetError: dataset.json is missing or damaged, or the dataset is complete but a file is missing.
        """
        self.directory = directory
        self.info = DatasetInfo.read(directory)
        self._indices = _episode_indices(directory)
        missing = sorted(set(range(self.info.episodes)) - set(self._indices))
        if self.info.complete and missing:
            raise DatasetError(
                f"{episode_path(directory, missing[0])} is missing: dataset.json counts {self.info.episodes} "
                f"episodes, {len(missing)} of them are not there. Restore them, or record with --resume."
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

    @property
    def paths(self) -> tuple[Path, ...]:
        """The episode files, by index."""
        return tuple(episode_path(self.directory, i) for i in self._indices)

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> EpisodeFile:
        return EpisodeFile(self.paths[index])

    def __iter__(self) -> Iterator[EpisodeFile]:
        """Each episode in turn, open while it is its turn."""
        for path in self.paths:
            with EpisodeFile(path) as file:
                yield file


def _episode_indices(directory: Path) -> list[int]:
    names = [path.stem.removeprefix("episode_") for path in directory.glob("episode_*.hdf5")]
    return sorted(int(name) for name in names if name.isdecimal())
