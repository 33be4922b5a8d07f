"""One results or dataset folder as the gallery shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ambidex.benchmarks.gallery.report_episode import ReportEpisode
from ambidex.envs.types import EnvSpec


@dataclass(frozen=True, kw_only=True)
class ReportRun:
    """One results or dataset folder as the gallery shows it.

    Attributes:
        folder: Where it lies.
        label: Who acted, in short.
        facts: What is to be said about it as a whole, as name and value.
        specs: Task -> spec of its environment, in the order to show.
        episodes: By task and seed.
        warning: What a reader should know before trusting its rates; empty for nothing.
        shortfall: Which episodes are not there that should be; empty for none.
        asked: Episodes of each task that were asked for; None if nobody knows.
    """

    folder: Path
    label: str
    facts: tuple[tuple[str, str], ...]
    specs: Mapping[str, EnvSpec]
    episodes: tuple[ReportEpisode, ...]
    warning: str = ""
    shortfall: str = ""
    asked: int | None = None

    @property
    def tasks(self) -> tuple[str, ...]:
        """Task names in the order to show."""
        return tuple(self.specs)
