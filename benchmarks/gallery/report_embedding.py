"""Which videos go into a page that must not grow without bound."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ambidex.benchmarks.gallery.report_episode import ReportEpisode
from ambidex.benchmarks.gallery.report_run import ReportRun

BUDGET_MB = 60.0  # of videos in one page; base64 makes a third more of it


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """Which videos go into a page.

    Attributes:
        chosen: Id of an element -> the file it holds, in the order of the episodes.
        left_out: Videos that exist and were left out.
        size_left_out: Their size [B].
        unmade: Videos that do not exist and could be made from stored states.
    """

    chosen: Mapping[str, Path]
    left_out: frozenset[Path]
    size_left_out: int
    unmade: int

    @classmethod
    def of(cls, runs: Sequence[ReportRun], budget_mb: float) -> Self:
        """Of the videos that exist, within a budget: errors and failures first, then successes, by seed."""
        sizes = {episode.video: episode.video.stat().st_size for episode in by_interest(runs) if episode.filmed}
        chosen, left_out, room = set[Path](), set[Path](), budget_mb * 1e6
        for file, size in sizes.items():
            (chosen if size <= room else left_out).add(file)
            room -= size if size <= room else 0
        return cls(
            chosen={name(i, e): e.video for i, run in enumerate(runs) for e in run.episodes if e.video in chosen},
            left_out=frozenset(left_out),
            size_left_out=sum(sizes[file] for file in left_out),
            unmade=sum(e.can_be_watched and not e.filmed for run in runs for e in run.episodes),
        )

    def in_words(self, folders: Sequence[Path]) -> str:
        """Which videos are not in the page and how to see them; empty if all are."""
        missing = len(self.left_out) + self.unmade
        if not missing:
            return ""
        reasons = [f"{self.unmade} have not been made"] if self.unmade else []
        if self.left_out:
            size = f"{self.size_left_out / 1e6:.1f} MB"
            reasons.append(f"{len(self.left_out)} ({size}) were left out to keep it small")
        return (
            f"{missing} of {missing + len(self.chosen)} videos are not in the page: {' and '.join(reasons)}. "
            f"See them all with: watch-rollouts {shlex.join(map(str, folders))}"
        )


def name(run_index: int, episode: ReportEpisode) -> str:
    """Id of the element that holds an episode's video."""
    return f"video-{run_index}-{episode.task}-{episode.seed}"


def by_interest(runs: Sequence[ReportRun]) -> list[ReportEpisode]:
    """Errors and failures first, then successes, each by seed."""
    episodes = [episode for run in runs for episode in run.episodes]
    return sorted(episodes, key=lambda episode: (episode.success, episode.seed, episode.task))
