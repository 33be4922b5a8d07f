"""Which videos go into a page that must not grow without bound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from ambidex.benchmarks.report_episode import ReportEpisode
from ambidex.benchmarks.report_run import ReportRun

BUDGET_MB = 60  # of videos in one page; base64 makes a third more of it


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """Which videos go into a page.

    Attributes:
        chosen: Id of an element -> the file it holds, in the order of the episodes.
        left_out: Videos that exist and were left out.
        size: Size of the videos chosen [B].
        size_left_out: Size of those left out [B].
    """

    chosen: Mapping[str, Path] = field(default_factory=dict)
    left_out: frozenset[Path] = frozenset()
    size: int = 0
    size_left_out: int = 0

    @classmethod
    def of(cls, runs: Sequence[ReportRun], budget_mb: float) -> Self:
        """Of the videos that exist, within a budget: errors and failures first, then successes, by seed."""
        sizes = {episode.video: _size(episode.video) for episode in _by_interest(runs) if episode.video is not None}
        sizes = {file: size for file, size in sizes.items() if size}
        chosen: set[Path] = set()
        for file, size in sizes.items():
            if sum(sizes[other] for other in chosen) + size <= budget_mb * 1e6:
                chosen.add(file)
        return cls(
            chosen={name(i, e): e.video for i, run in enumerate(runs) for e in run.episodes if e.video in chosen},
            left_out=frozenset(sizes) - chosen,
            size=sum(sizes[file] for file in chosen),
            size_left_out=sum(size for file, size in sizes.items() if file not in chosen),
        )

    def in_words(self, folders: Sequence[Path]) -> str:
        """What was left out and how to see it; empty if all is there."""
        if not self.left_out:
            return ""
        count = len(self.left_out)
        return (
            f"{count} of {count + len(self.chosen)} videos ({self.size_left_out / 1e6:.0f} MB) were left out of this "
            f"file to keep it small. See them all with: watch-rollouts {' '.join(map(str, folders))}"
        )


def name(run_index: int, episode: ReportEpisode) -> str:
    """Id of the element that holds an episode's video."""
    return f"video-{run_index}-{episode.task}-{episode.seed}"


def _by_interest(runs: Sequence[ReportRun]) -> list[ReportEpisode]:
    episodes = [episode for run in runs for episode in run.episodes]
    return sorted(episodes, key=lambda episode: (episode.success, episode.seed, episode.task))


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0
