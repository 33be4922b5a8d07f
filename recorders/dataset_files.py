"""Which files a dataset has, and which it is to have."""

from functools import cached_property
from pathlib import Path

from ambidex.envs.types import Outcome
from ambidex.recorders.attempt import Attempt
from ambidex.recorders.dataset_format import DatasetFormat
from ambidex.recorders.destination import FAILURES, VIDEOS, Destination


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
