"""Merges the shards of a recording: what `merge-datasets` does, from Python."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ambidex.atomic_files import link_or_copy, replacing_folder, write_text
from ambidex.envs.shards import missing_shards
from ambidex.envs.types import Outcome
from ambidex.errors import UsageError
from ambidex.flags import flags_to_json, format_command
from ambidex.output_folder import check_output_folder, exclusive_lock
from ambidex.recorders.dataset.attempts import ATTEMPTS, Attempt
from ambidex.recorders.dataset.dataset import dataset_folders
from ambidex.recorders.dataset.environment import DEFINITION_COPY
from ambidex.recorders.dataset.info import DATASET_JSON, DatasetInfo
from ambidex.recorders.merging.source import RECORD, Source, check_disjoint, check_same
from ambidex.recorders.recording.config import RUN_ONLY
from ambidex.text import pluralize


@dataclass(frozen=True, kw_only=True)
class MergeSummary:
    """The result of merging the shards of one task.

    Attributes:
        directory: The merged dataset's folder.
        info: Its dataset.json.
        sources: Number of folders that were merged.
        missing: Which shards are missing, in a sentence; empty if all are there, or if it is not known.
    """

    directory: Path
    info: DatasetInfo
    sources: int
    missing: str

    def __str__(self) -> str:
        """One line."""
        info = self.info
        counts = f"{pluralize(info.episodes, 'episode')} of {pluralize(info.attempts, 'attempt')}"
        return f"{info.env_spec.task}: {counts} from {pluralize(self.sources, 'folder')} in {self.directory}"


def merge(paths: Sequence[Path], directory: Path) -> tuple[MergeSummary, ...]:
    """Merge recordings of one task, or of one suite, into a folder that appears whole or not at all.

    Args:
        paths: Datasets, or folders with datasets in them, of which those of the same name are merged. They are only
            read.
        directory: The merged dataset, or the folder of the merged datasets; missing or empty.

    Returns:
        One summary per merged dataset.

    Raises:
        UsageError: The folder is not empty, datasets were recorded differently, or two of them have the same attempt.
        DatasetError: A dataset is missing or damaged, or the merged one cannot be written.
    """
    places = _places(paths)
    with exclusive_lock(directory):
        check_output_folder(directory, DATASET_JSON, resume=False)
        with replacing_folder(directory.resolve()) as temporary:
            infos = {place: merge_into(temporary / place, sources) for place, sources in places.items()}
    return tuple(
        MergeSummary(
            directory=directory / place,
            info=info,
            sources=len(places[place]),
            missing=missing_shards([DatasetInfo.read(folder).shard for folder in places[place]]),
        )
        for place, info in infos.items()
    )


def merge_into(directory: Path, folders: Sequence[Path]) -> DatasetInfo:
    """Merge datasets of one task into a folder without a dataset; returns its dataset.json. Errors as of `merge`.

    If attempts are missing between those of the datasets, dataset.json lists the seeds that were attempted.
    """
    sources = [Source.open(folder) for folder in folders]
    check_same(sources)
    check_disjoint(sources)
    rows = _renumbered(sources)
    directory.mkdir(parents=True, exist_ok=True)
    _copy_files(directory, rows)
    write_text(directory / ATTEMPTS, "".join(f"{row.attempt.to_line()}\n" for row in rows))
    info = _merged_info(directory, sources, rows)
    info.write(directory)
    return info


@dataclass(frozen=True, kw_only=True)
class _Row:
    """An attempt as it is merged, the same as it is in its source, and the source."""

    attempt: Attempt
    original: Attempt
    source: Source

    @property
    def removed(self) -> bool:
        """Whether its episode was removed on purpose."""
        return self.original.episode in self.source.info.removed


def _places(paths: Sequence[Path]) -> Mapping[Path, list[Path]]:
    """Path within the merged folder -> the datasets to merge there."""
    places: dict[Path, list[Path]] = {}
    for path in paths:
        found = dataset_folders(path)
        if not found:
            DatasetInfo.read(path)  # raises the error that says what is missing
        for folder in found:
            places.setdefault(folder.relative_to(path), []).append(folder)
    if len(places) > 1 and Path() in places:
        dataset = places[Path()][0]
        problem = f"{dataset} is a dataset, and another path is a folder of datasets."
        raise UsageError(problem, "Name datasets of one task, or folders of one suite.", path=dataset)
    return places


def _renumbered(sources: Sequence[Source]) -> list[_Row]:
    """All attempts in the order of their seeds, their successes numbered."""
    pairs = sorted(
        ((attempt, source) for source in sources for attempt in source.attempts), key=lambda pair: pair[0].seed
    )
    rows, number = [], 0
    for original, source in pairs:
        success = original.outcome is Outcome.SUCCESS
        attempt = replace(original, episode=number if success else None)
        rows.append(_Row(attempt=attempt, original=original, source=source))
        number += success
    return rows


def _copy_files(directory: Path, rows: Sequence[_Row]) -> None:
    """Put the files of all attempts into a folder, under the names that a single run gives them."""
    episodes: dict[int, Path] = {}
    for row in rows:
        planned, own = row.source.files_in(directory).planned(row.attempt), row.source.files.planned(row.original)
        found = row.source.files.episode(row.original)
        if planned is None or own is None:
            continue
        if row.attempt.episode is not None and found is not None:
            episodes[row.attempt.episode] = found
        elif found is not None:
            link_or_copy(found, planned.episode)
        if planned.video is not None and own.video is not None and own.video.exists():
            link_or_copy(own.video, planned.video)
    if rows:
        source = rows[0].source
        source.format.gather(directory, source.info.env_spec.task, episodes)
        if (source.folder / DEFINITION_COPY).exists():
            link_or_copy(source.folder / DEFINITION_COPY, directory / DEFINITION_COPY)


def _merged_info(directory: Path, sources: Sequence[Source], rows: Sequence[_Row]) -> DatasetInfo:
    """The dataset.json of merged datasets, whose files are in their folder."""
    first, files = sources[0], sources[0].files_in(directory)
    config = replace(first.config, shard=None)
    attempts = [row.attempt for row in rows]
    outcomes = Counter(attempt.outcome for attempt in attempts)
    missing = [row.attempt for row in rows if files.are_missing(row.attempt) and not row.removed]
    seeds = tuple(attempt.seed for attempt in attempts)
    in_order = seeds == tuple(range(config.seed, config.seed + len(seeds)))
    return replace(
        first.info,
        command=format_command(RECORD, config, leave_out=RUN_ONLY),
        attempts=len(attempts),
        successes=outcomes[Outcome.SUCCESS],
        failures=outcomes[Outcome.FAILURE],
        errors=outcomes[Outcome.ERROR],
        episodes=outcomes[Outcome.SUCCESS] - sum(attempt.episode is not None for attempt in missing),
        complete=in_order and outcomes[Outcome.SUCCESS] >= config.num_episodes and not missing,
        timings=_sums([source.info.timings for source in sources]),
        config=flags_to_json(config, leave_out=RUN_ONLY),
        removed=tuple(row.attempt.episode for row in rows if row.removed and row.attempt.episode is not None),
        seeds=() if in_order else seeds,
    )


def _sums(timings: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: round(sum(each.get(name, 0) for each in timings), 3) for name in timings[0]}
