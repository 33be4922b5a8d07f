"""The datasets that are merged: what is read of them, and what they must have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from ambidex.envs.shards import common_items
from ambidex.errors import UsageError
from ambidex.flags import changed_flags
from ambidex.recorders.dataset.attempts import Attempt, read_attempts
from ambidex.recorders.dataset.files import DatasetFiles, failure_files
from ambidex.recorders.dataset.info import DatasetInfo
from ambidex.recorders.formats.registry import DatasetFormat, format_named
from ambidex.recorders.recording.config import RUN_ONLY, RecordConfig
from ambidex.recorders.recording.resume import IN_SPEC, check_attempts
from ambidex.text import first_few, in_folders

RECORD = "record-episodes"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A dataset to merge.

    Attributes:
        folder: Its folder.
        info: Its dataset.json.
        config: The flags with which it was recorded.
        attempts: The rows of attempts.jsonl.
        format: Its format.
        models: Fingerprints of the models of its episodes.
    """

    folder: Path
    info: DatasetInfo
    config: RecordConfig
    attempts: tuple[Attempt, ...]
    format: DatasetFormat
    models: frozenset[str]

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read everything but the arrays of the episodes, each of which is opened.

        Raises:
            UsageError: Another command than record-episodes made it.
            DatasetError: It is missing or damaged.
        """
        info = DatasetInfo.read(folder)
        if info.command.split()[:1] != [RECORD]:
            problem = f"{folder} was not made by {RECORD}, but by: {info.command}."
            raise UsageError(problem, "Merge recordings, then render or convert them.", path=folder, got=info.command)
        config, attempts = info.settings(RECORD, RecordConfig), tuple(read_attempts(folder))
        check_attempts(folder, info.seeds or range(config.seed, config.seed + len(attempts)), attempts)
        file_format = format_named(info.format)
        models = _models(folder, file_format)
        return cls(folder=folder, info=info, config=config, attempts=attempts, format=file_format, models=models)

    @cached_property
    def files(self) -> DatasetFiles:
        """Its files."""
        return self.files_in(self.folder)

    def files_in(self, folder: Path) -> DatasetFiles:
        """The files of a dataset with the same flags in another folder."""
        return DatasetFiles(folder, self.format, failures=self.config.keep_failures, video=self.config.video)


def check_same(sources: Sequence[Source]) -> None:
    """Raise UsageError unless all datasets were recorded alike but for the shard; it has the differences of two."""
    for other in sources[1:]:
        _refuse(sources[0], other, _differences(sources[0], other))
    first, *others = [source for source in sources if source.models] or sources
    for other in others:
        _refuse(first, other, _model_differences(first, other))


def check_disjoint(sources: Sequence[Source]) -> None:
    """Raise UsageError if two datasets have attempts of the same seed."""
    found = common_items((source.folder, [attempt.seed for attempt in source.attempts]) for source in sources)
    if found:
        one, other, seeds = found
        listed = first_few([str(seed) for seed in seeds], separator=", ")
        problem = f"{one} and {other} have attempts of the same seeds: {listed}."
        raise UsageError(problem, "Name each shard once, all of one N.", paths=(one, other), seeds=tuple(seeds))


def _models(folder: Path, file_format: DatasetFormat) -> frozenset[str]:
    found = set()
    for path in (*file_format.find(folder).values(), *failure_files(folder)):
        with file_format.open(path) as stored:
            found.add(stored.model_sha256)
    return frozenset(found)


def _differences(first: Source, other: Source) -> list[str]:
    """How flags, versions and environments differ, one line each."""
    describe, old, new = in_folders(first.folder, other.folder), first.info.versions, other.info.versions
    return [
        *changed_flags(first.config, other.config, ignore=RUN_ONLY | IN_SPEC | {"shard"}, describe=describe),
        *(describe(name, old.get(name), new.get(name)) for name in {**old, **new} if old.get(name) != new.get(name)),
        *first.info.env_spec.differences(other.info.env_spec),
    ]


def _model_differences(first: Source, other: Source) -> list[str]:
    if first.models == other.models:
        return []
    models = (" and ".join(sorted(source.models)) for source in (first, other))
    return [in_folders(first.folder, other.folder)("the model of robot, objects or scene", *models)]


def _refuse(one: Source, other: Source, differences: Sequence[str]) -> None:
    """Raise a UsageError that lists the differences of two datasets, if there are any."""
    if differences:
        problem = f"{one.folder} and {other.folder} were recorded differently: {'; '.join(differences)}."
        hint = "Merge the shards of one command, recorded by one version of ambidex and of its packages."
        raise UsageError(problem, hint, paths=(one.folder, other.folder), differences=tuple(differences))
