"""What is common to the kinds of HDF5 datasets that other programs write."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from ambidex.envs.types import EnvSpec
from ambidex.errors import DatasetError, check_name
from ambidex.recorders.dataset.episode import StoredEpisode
from ambidex.recorders.dataset.info import INSTRUCTION_SEPARATOR, DatasetInfo
from ambidex.recorders.formats.foreign.demonstration import HINT, Demonstration, EpisodeGroups, frame_size
from ambidex.recorders.formats.foreign.description import (
    PRESETS,
    Description,
    Values,
    description_file,
    read_description,
    write_description,
)
from ambidex.recorders.formats.foreign.episode import foreign_info
from ambidex.recorders.hdf5.reading import Hdf5Source, reading

SUFFIXES = (".hdf5", ".h5")
SAME = ("cameras", "image_size", "joint_names", "action_names")
"""What all episodes of a dataset have in common."""


@dataclass(frozen=True, kw_only=True)
class _Contents:
    """What a dataset holds.

    Attributes:
        description: What the datasets in its files mean.
        spec: The spec of its episodes.
        numbers: Episode, as a path to open -> its number.
        storage: How images are stored.
        notes: What a user should know, one sentence each.
    """

    description: Description
    spec: EnvSpec
    numbers: Mapping[Path, int]
    storage: str
    notes: tuple[str, ...]


class Hdf5Kind(ABC):
    """A kind of HDF5 files of other programs; a subclass says how it is told from others, and what its files say."""

    name: ClassVar[str]

    def holds(self, path: Path) -> bool:
        """Whether a file, or the first in a folder that can be opened, is of this kind."""
        found = (_is_of_kind(type(self), file, *_version(file)) for file in self.files(path))
        return next((matches for matches in found if matches is not None), False)

    def files(self, path: Path) -> list[Path]:
        """The HDF5 files of a dataset: itself, or those in a folder, by the numbers in their names."""
        if not path.is_dir():
            return [path] if path.is_file() else []
        found = [file for file in path.iterdir() if file.suffix in SUFFIXES and file.is_file()]
        return sorted(found, key=lambda file: ([int(digits) for digits in re.findall(r"\d+", file.stem)], file.name))

    def first(self, path: Path) -> Path:
        """The first file of a dataset that can be opened."""
        files = self.files(path)
        return next((file for file in files if _is_of_kind(type(self), file, *_version(file))), files[0])

    def find(self, directory: Path) -> dict[int, Path]:
        return dict(enumerate(episode for file in self.files(directory) for episode in self.episodes_in(file)))

    def episode_path(self, directory: Path, index: int) -> Path:
        return self.find(directory)[index]

    def open(self, path: Path) -> StoredEpisode:
        """Open an episode.

        Raises:
            DatasetError: It is damaged, unlike others of its dataset, or what it means is not known.
        """
        groups = self.groups(path)
        found = self._contents(self.dataset_of(groups.file))
        episode = Demonstration(path, groups, found.description, found.numbers.get(path, 0))
        try:
            _common({groups.file.parent: found.spec, path: episode.spec})
        except DatasetError:
            episode.close()
            raise
        episode.spec = replace(found.spec, instruction=episode.spec.instruction)
        return episode

    def info(self, path: Path) -> DatasetInfo:
        """The dataset.json that a dataset would have; errors as of `open`."""
        found = self._contents(path)
        return foreign_info(found.spec, name=self.name, storage=found.storage, episodes=len(self.find(path)))

    def notes(self, path: Path) -> tuple[str, ...]:
        """What a user of a dataset should know; errors as of `open`."""
        return self._contents(path).notes

    def describe(self, path: Path, preset: str | None) -> Path:
        """Write the dataset.toml of a dataset; raises UnknownNameError, and the errors of `write_description`."""
        presets = PRESETS[self.name]
        if preset is not None:
            check_name("preset", preset, presets)
        return write_description({**self._said(path), **(presets[preset] if preset else {})}, path)

    @abstractmethod
    def matches(self, source: Hdf5Source) -> bool:
        """Whether a file is of this kind and not one of ambidex."""

    @abstractmethod
    def episodes_in(self, file: Path) -> list[Path]:
        """The episodes of one file."""

    @abstractmethod
    def groups(self, path: Path) -> EpisodeGroups:
        """Where an episode is."""

    @abstractmethod
    def dataset_of(self, file: Path) -> Path:
        """The dataset of an episode that is opened alone."""

    @abstractmethod
    def said(self, path: Path) -> Values:
        """What the files of a dataset say, as fields of a `Description`."""

    def _contents(self, path: Path) -> _Contents:
        # A folder changes when files come and go. One that is overwritten in place is compared with the rest by `open`.
        files = [file for file in (path, description_file(path)) if file.exists()]
        return _cached_contents(type(self), path, tuple(_version(file) for file in files))

    def read_contents(self, path: Path) -> _Contents:
        """What a dataset holds, as far as its episodes can be read."""
        description = read_description(self._said(path), path, PRESETS[self.name])
        specs, error, found, episodes = dict[Path, EnvSpec](), None, None, self.find(path)
        for number, episode in episodes.items():
            try:
                with Demonstration(episode, self.groups(episode), description, number) as opened:
                    found = found or (opened.storage, opened.notes)
                    specs[episode] = opened.spec
            except DatasetError as caught:
                error = error or caught
        if found is None:
            raise error or DatasetError(f"{path} has no episodes.", "Name another file or folder.", path=path)
        notes = tuple(f"{path}: {note}." for note in found[1])
        task = path.resolve().stem if path.is_file() else path.resolve().name
        return _Contents(
            description=description,
            spec=replace(_common(specs), task=task),
            numbers={episode: number for number, episode in episodes.items()},
            storage=found[0],
            notes=notes,
        )

    def _said(self, path: Path) -> Values:
        with reading(self.first(path), "structure of the file"):
            return self.said(path)


def _common(specs: Mapping[Path, EnvSpec]) -> EnvSpec:
    """One spec for the episodes of a dataset."""
    first = next(iter(specs.values()))
    for path, spec in specs.items():
        for field in SAME:
            got, expected = getattr(spec, field), getattr(first, field)
            if got != expected:
                problem = f"{path}, {field}: got {got}, expected {expected} as in other episodes of the dataset."
                raise DatasetError(problem, HINT, path=path, field=field, got=got, expected=expected)
    instructions = dict.fromkeys(spec.instruction for spec in specs.values())
    horizon = max(spec.horizon for spec in specs.values())
    return replace(first, horizon=horizon, instruction=INSTRUCTION_SEPARATOR.join(instructions))


def images_in(source: Hdf5Source, group: str) -> list[str]:
    """The names of the images in a group of a file."""
    names = source.names(group) if source.has(group) else []
    paths = {name: f"{group}/{name}" for name in names}
    return [name for name, path in paths.items() if source.is_dataset(path) and frame_size(source.dataset(path))]


def _version(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=4096)
def _is_of_kind(kind: type[Hdf5Kind], file: Path, changed: int, size: int) -> bool | None:
    """Whether a file is of a kind; None if it is damaged."""
    try:
        with closing(Hdf5Source(file)) as source:
            return kind().matches(source)
    except DatasetError:
        return None


@lru_cache(maxsize=64)
def _cached_contents(kind: type[Hdf5Kind], path: Path, versions: object) -> _Contents:
    return kind().read_contents(path)
