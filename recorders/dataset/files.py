"""The files of a dataset: where each attempt's are stored, which exist, and whether they can be opened."""

from dataclasses import replace
from functools import cached_property
from pathlib import Path

from ambidex.atomic_files import remove_leftovers
from ambidex.envs.types import Outcome
from ambidex.errors import DatasetError
from ambidex.output_folder import exclusive_lock
from ambidex.recorders.dataset.attempts import Attempt
from ambidex.recorders.dataset.info import DATASET_JSON, DatasetInfo
from ambidex.recorders.dataset.layout import FAILURES, VIDEOS, EpisodeFiles
from ambidex.recorders.dataset.repair import rerecord_command
from ambidex.recorders.formats.registry import DatasetFormat, DatasetReader, format_named
from ambidex.text import first_few


class DatasetFiles:
    """Where the files of a dataset are stored, attempt by attempt. The folder is listed once.

    Successes are numbered. Failures are in failures/ under their seed, so that a loader that takes every file in the
    dataset's folder trains on successes only; they need not be stored. An attempt that raised an error never is.
    "none", "first" (episode 0) or "all" of the stored attempts have a video.
    """

    def __init__(
        self, directory: Path, file_format: DatasetReader, *, failures: bool = True, video: str = "none"
    ) -> None:
        self._directory, self._format, self._failures, self._video = directory, file_format, failures, video

    def planned(self, attempt: Attempt) -> EpisodeFiles | None:
        """The files to write for a settled attempt; None if it is not stored."""
        if attempt.episode is not None:
            episode = self._format.episode_path(self._directory, attempt.episode)
            video = f"episode_{attempt.episode}_success.mp4"
        elif attempt.outcome is Outcome.FAILURE and self._failures:
            episode, video = self._failure(attempt), f"seed_{_seed(attempt)}_failure.mp4"
        else:
            return None
        has_video = self._video == "all" or (self._video == "first" and attempt.episode == 0)
        return EpisodeFiles(episode=episode, video=self._directory / VIDEOS / video if has_video else None)

    def episode(self, attempt: Attempt) -> Path | None:
        """The stored episode of an attempt, as a path to read; None if there is none."""
        if attempt.episode is not None:
            return self._successes.get(attempt.episode)
        path = self._failure(attempt)
        return path if attempt.outcome is Outcome.FAILURE and path.is_file() else None

    def are_missing(self, attempt: Attempt) -> bool:
        """Whether files of an attempt are planned and not all exist. They appear whole or not at all."""
        files = self.planned(attempt)
        if files is None:
            return False
        no_episode = self.episode(attempt) is None and attempt.episode not in self._removed
        return no_episode or (files.video is not None and not files.video.exists())

    @cached_property
    def _removed(self) -> tuple[int, ...]:
        return removed_episodes(self._directory)

    @cached_property
    def _successes(self) -> dict[int, Path]:
        return self._format.find(self._directory)

    def _failure(self, attempt: Attempt) -> Path:
        return self._directory / FAILURES / f"episode_{_seed(attempt)}.hdf5"


def _seed(attempt: Attempt) -> str:
    """The seed of an attempt, and its look if there are several."""
    return f"{attempt.seed}_look_{attempt.look}" if attempt.look else str(attempt.seed)


def removed_episodes(directory: Path) -> tuple[int, ...]:
    """Numbers of the episodes that were removed from a dataset on purpose; none if there is no dataset yet."""
    return DatasetInfo.read(directory).removed if (directory / DATASET_JSON).exists() else ()


def accept_missing(directory: Path) -> tuple[int, ...]:
    """Let dataset.json say that the missing episodes of a dataset were removed on purpose; returns their numbers.

    Raises:
        DatasetError: There is no dataset, or it is not complete, so that recording would add what is missing.
    """
    with exclusive_lock(directory):
        info = DatasetInfo.read(directory)
        if not info.complete:
            problem = f"{directory} is not complete, so its missing episodes may just not be recorded yet."
            hint = f"Complete it first: {rerecord_command(directory / DATASET_JSON)}"
            raise DatasetError(problem, hint, path=directory)
        missing = info.missing(format_named(info.format).find(directory))
        replace(info, removed=(*info.removed, *missing)).write(directory)
        if missing:
            format_named(info.format).finish(directory, info.env_spec.task)
    return tuple(missing)


def failure_files(directory: Path) -> list[Path]:
    """The stored failures of a dataset, by seed."""
    return sorted((directory / FAILURES).glob("episode_*.hdf5"), key=lambda file: (len(file.name), file.name))


def check_stored_episodes(directory: Path, file_format: DatasetFormat) -> None:
    """Raise unless all stored episodes of a dataset can be opened; a resumed run would count damaged ones as episodes.

    Each is opened, and its structure, attributes and sizes are checked, which takes milliseconds. `verify-episodes`
    reads fields and images. Nothing is deleted or moved: the owner decides whether a file is lost, and it may only be
    of another version.

    Raises:
        DatasetError: Names the damaged files, and says what to do.
    """
    paths = [*file_format.find(directory).values(), *failure_files(directory)]
    errors = {path: error for path in paths if (error := _error_on_opening(path, file_format)) is not None}
    if errors:
        names = first_few([str(path.relative_to(directory)) for path in errors], limit=5, separator=", ")
        first = next(iter(errors.values()))
        problem = f"--resume: {len(errors)} of {len(paths)} episodes stored in {directory} cannot be read: {names}."
        raise DatasetError(f"{problem} The first: {first.problem}", first.hint, path=directory, damaged=tuple(errors))


def dataset_size(directory: Path) -> int:
    """Size of all files of a dataset [B]."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def remove_partial_files(directory: Path) -> None:
    """Remove the half-written files of killed runs. Only while the folder is locked."""
    for folder in [directory, *(path for path in directory.rglob("*") if path.is_dir())]:
        remove_leftovers(folder)


def _error_on_opening(path: Path, file_format: DatasetFormat) -> DatasetError | None:
    try:
        file_format.open(path).close()
    except DatasetError as error:
        return error
    return None
