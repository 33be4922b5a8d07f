"""Where the files of one attempt go, if it is kept."""

from dataclasses import dataclass
from pathlib import Path

from ambidex.envs.types import Outcome
from ambidex.recorders.dataset import episode_path
from ambidex.recorders.record_config import RecordConfig

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


def destination(
    config: RecordConfig, directory: Path, *, seed: int, outcome: Outcome, episode: int | None
) -> Destination | None:
    """The files of an attempt, or None if it is not kept.

    Successes are numbered and lie in the dataset's folder. Failures, with `--keep-failures`, lie in failures/ under
    their seed, so that a loader that takes every episode_*.hdf5 trains on successes only. An attempt that broke is not
    an episode and is never kept.
    """
    if episode is not None:
        video = config.video == "all" or (config.video == "first" and episode == 0)
        name = directory / VIDEOS / f"episode_{episode}_success.mp4"
        return Destination(episode=episode_path(directory, episode), video=name if video else None)
    if outcome is Outcome.FAILURE and config.keep_failures:
        name = directory / VIDEOS / f"seed_{seed}_failure.mp4"
        return Destination(
            episode=episode_path(directory / FAILURES, seed), video=name if config.video == "all" else None
        )
    return None
