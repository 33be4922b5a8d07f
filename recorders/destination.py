"""Where the files of one attempt go, if it is kept."""

from dataclasses import dataclass
from pathlib import Path

from ambidex.envs.types import Outcome
from ambidex.recorders.attempt import Attempt
from ambidex.recorders.dataset import episode_path

FAILURES = "failures"
VIDEOS = "videos"


@dataclass(frozen=True, kw_only=True)
class Destination:
    """The files of one kept attempt.

    Attributes:
        episode: Its episode file.
        video: Its video; None for none.
    """

    episode: Path
    video: Path | None

    @property
    def exists(self) -> bool:
        """All its files are there. Files appear whole or not at all, so what is there is good."""
        return self.episode.exists() and (self.video is None or self.video.exists())

    @property
    def size(self) -> int:
        """Size of its files [B]."""
        return sum(path.stat().st_size for path in (self.episode, self.video) if path is not None)


def destination(directory: Path, attempt: Attempt, *, keep_failures: bool, video: str) -> Destination | None:
    """The files of a settled attempt, or None if it is not kept.

    Successes are numbered and lie in the dataset's folder. Failures lie in failures/ under their seed, so that a loader
    that takes every episode_*.hdf5 trains on successes only. An attempt that broke is not an episode and never kept.

    Args:
        directory: The dataset's folder.
        attempt: The attempt.
        keep_failures: Keep failures too.
        video: Which kept attempts get a video: "none", "first" (episode 0) or "all".
    """
    if attempt.episode is not None:
        name = f"episode_{attempt.episode}_success.mp4"
        episode, first = episode_path(directory, attempt.episode), attempt.episode == 0
    elif attempt.outcome is Outcome.FAILURE and keep_failures:
        name = f"seed_{attempt.seed}_failure.mp4"
        episode, first = episode_path(directory / FAILURES, attempt.seed), False
    else:
        return None
    filmed = video == "all" or (video == "first" and first)
    return Destination(episode=episode, video=directory / VIDEOS / name if filmed else None)
