"""Which files a dataset has, and which it is to have."""

from functools import cached_property
from pathlib import Path

from ambidex.envs.types import Outcome
from ambidex.errors import DatasetError
from ambidex.recorders.dataset.attempt import Attempt
from ambidex.recorders.dataset.layout import FAILURES, VIDEOS, Destination
from ambidex.recorders.formats.registry import DatasetFormat


class DatasetFiles:
    """The files of a dataset, attempt by attempt. What is there is looked up once.

    Args:
        directory: The dataset's folder.
        layout: Its format.
    """

    def __init__(self, directory: Path, layout: DatasetFormat) -> None:
        self._directory, self._format = directory, layout

    def destination(self, attempt: Attempt, *, keep_failures: bool, video: str) -> Destination | None:
        """Where the files of a settled attempt are written, or None if it is not kept.

        Successes are numbered. Failures lie in failures/ under their seed, so that a loader that takes every file in
        the dataset's folder trains on successes only. An attempt that broke is not an episode and never kept.

        Args:
            attempt: The attempt.
            keep_failures: Keep failures too.
            video: Which kept attempts get a video: "none", "first" (episode 0) or "all".
        """
        if attempt.episode is not None:
            name = f"episode_{attempt.episode}_success.mp4"
            episode, first = self._format.episode_path(self._directory, attempt.episode), attempt.episode == 0
        elif attempt.outcome is Outcome.FAILURE and keep_failures:
            name = f"seed_{attempt.seed}_failure.mp4"
            episode, first = self._failure(attempt), False
        else:
            return None
        filmed = video == "all" or (video == "first" and first)
        return Destination(episode=episode, video=self._directory / VIDEOS / name if filmed else None)

    def episode(self, attempt: Attempt) -> Path | None:
        """Where the episode of a kept attempt lies, as a path to read; None if it is not there."""
        if attempt.episode is not None:
            return self._present.get(attempt.episode)
        path = self._failure(attempt)
        return path if attempt.outcome is Outcome.FAILURE and path.is_file() else None

    def has(self, attempt: Attempt, place: Destination) -> bool:
        """All files of an attempt are there. Files appear whole or not at all, so what is there is good."""
        return self.episode(attempt) is not None and (place.video is None or place.video.exists())

    @cached_property
    def _present(self) -> dict[int, Path]:
        return self._format.find(self._directory)

    def _failure(self, attempt: Attempt) -> Path:
        return self._directory / FAILURES / f"episode_{attempt.seed}.hdf5"


# FOLDED recorders.kept_episodes: Can what a dataset keeps be opened? Looked at before a recording or a rendering goes on.

SHOWN = 5


def check_kept(directory: Path, layout: DatasetFormat) -> None:
    """Refuse to go on with a dataset that keeps damaged files: they would be counted as episodes.

    Each is opened, and its structure, attributes and sizes are looked at, which takes milliseconds. What its fields and
    pictures hold is read by `verify-episodes`. Nothing is deleted or moved: whether a file is lost is for its owner to
    say, and it may only be of another version.

    Args:
        directory: The dataset's folder.
        layout: Its format.

    Raises:
        DatasetError: Names the damaged files, and says what to do.
    """
    paths = [*layout.find(directory).values(), *sorted((directory / FAILURES).glob("episode_*.hdf5"))]
    wrong = {path: error for path in paths if (error := _error(path, layout)) is not None}
    if wrong:
        names = ", ".join(str(path.relative_to(directory)) for path in [*wrong][:SHOWN])
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise DatasetError(
            f"--resume: {len(wrong)} of {len(paths)} episodes kept in {directory} cannot be read: {names}{more}. "
            f"The first: {next(iter(wrong.values()))}"
        )


def _error(path: Path, layout: DatasetFormat) -> DatasetError | None:
    try:
        layout.open(path).close()
    except DatasetError as error:
        return error
    return None
