"""Where the files of one attempt go, if it is kept."""

from dataclasses import dataclass
from pathlib import Path

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
    def size(self) -> int:
        """Size of its files [B]."""
        return sum(path.stat().st_size for path in (self.episode, self.video) if path is not None)
