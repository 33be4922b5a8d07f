"""The datasets that are merged: what is read of them, and what they must have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from ambidex.errors import UsageError
from ambidex.flags import changed_flags
from ambidex.recorders.dataset.attempts import Attempt, read_attempts
from ambidex.recorders.dataset.files import DatasetFiles, failure_files
from ambidex.recorders.dataset.info import DatasetInfo
from ambidex.recorders.formats.registry import DatasetFormat, format_named
from ambidex.recorders.recording.config import RUN_ONLY, RecordConfig
from ambidex.recorders.recording.resume import IN_SPEC, check_attempts
from ambidex.text import first_few

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
    """Raise UsageError unless all datasets were recorded alike but for the shard; it has every difference."""
    first = sources[0]
    for other in sources[1:]:
        found = _differences(first, other)
        if found:
            problem = f"{other.folder} was recorded differently than {first.folder}: {'; '.join(found)}."
            hint = "Merge the shards of one command, recorded by one version of ambidex and of its packages."
            raise UsageError(problem, hint, paths=(first.folder, other.folder), differences=tuple(found))


def check_disjoint(sources: Sequence[Source]) -> None:
    """Raise UsageError if two datasets have attempts of the same seed."""
    owners: dict[int, Path] = {}
    for source in sources:
        seeds = [attempt.seed for attempt in source.attempts]
        repeated = [seed for seed in seeds if seed in owners]
        if repeated:
            folders = owners[repeated[0]], source.folder
            listed = first_few([str(seed) for seed in repeated], separator=", ")
            problem = f"{folders[0]} and {folders[1]} have attempts of the same seeds: {listed}."
            raise UsageError(problem, "Name each shard once, all of one N.", paths=folders, seeds=tuple(repeated))
        owners |= dict.fromkeys(seeds, source.folder)


def _models(folder: Path, file_format: DatasetFormat) -> frozenset[str]:
    found = set()
    for path in (*file_format.find(folder).values(), *failure_files(folder)):
        with file_format.open(path) as stored:
            found.add(stored.model_sha256)
    return frozenset(found)


def _differences(first: Source, other: Source) -> list[str]:
    old, new = first.info.versions, other.info.versions
    models = [" and ".join(sorted(source.models)) for source in (first, other)]
    return [
        *changed_flags(first.config, other.config, ignore=RUN_ONLY | IN_SPEC | {"shard"}),
        *(
            f"{name} was {old.get(name)}, now {new.get(name)}"
            for name in {**old, **new}
            if old.get(name) != new.get(name)
        ),
        *first.info.env_spec.differences(other.info.env_spec),
        *(
            [f"the model of robot, objects or scene was {models[0]}, now {models[1]}"]
            if all(models) and models[0] != models[1]
            else []
        ),
    ]
