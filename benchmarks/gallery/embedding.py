"""Which videos go into a page that must not grow without bound."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ambidex.benchmarks.gallery.runs import ReportEpisode, ReportRun
from ambidex.benchmarks.results.states import missing_states
from ambidex.benchmarks.videos.jobs import MissingVideo
from ambidex.text import pluralize

BUDGET_MB = 60.0  # of videos in one page; base64 makes a third more of it


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """Which videos go into a page.

    Attributes:
        chosen: Id of an element -> the file it holds, in the order of the episodes.
        left_out: Videos that exist and were left out.
        size_left_out: Their size [B].
        unmade: Videos that do not exist and could be made from stored states.
        unfilmed: Episodes of which no video can be made, by task and seed.
    """

    chosen: Mapping[str, Path]
    left_out: frozenset[Path]
    size_left_out: int
    unmade: int
    unfilmed: tuple[MissingVideo, ...]

    @classmethod
    def of(cls, runs: Sequence[ReportRun], budget_mb: float, tried: Sequence[MissingVideo] = ()) -> Self:
        """Of the videos that exist, within a budget: errors and failures first, then successes, by seed.

        Args:
            runs: What the page shows.
            budget_mb: Size that all embedded videos may have together [MB].
            tried: Episodes of which no video could be made.
        """
        sizes = {episode.video: episode.video.stat().st_size for episode in by_interest(runs) if episode.filmed}
        chosen, left_out, room = set[Path](), set[Path](), budget_mb * 1e6
        for file, size in sizes.items():
            (chosen if size <= room else left_out).add(file)
            room -= size if size <= room else 0
        unfilmed = {one.states: one for one in (*_lost(runs), *tried)}
        return cls(
            chosen={name(i, e): e.video for i, run in enumerate(runs) for e in run.episodes if e.video in chosen},
            left_out=frozenset(left_out),
            size_left_out=sum(sizes[file] for file in left_out),
            unmade=sum(
                e.can_be_watched and not e.filmed and e.states not in unfilmed for run in runs for e in run.episodes
            ),
            unfilmed=tuple(sorted(unfilmed.values(), key=lambda one: (one.task, one.seed))),
        )

    def in_words(self, folders: Sequence[Path], asked: str = "all") -> str:
        """Which videos are not in the page though they can be seen, and how; empty if all are in it.

        Args:
            folders: What watch-rollouts is to be given.
            asked: What --video of run-benchmark was.
        """
        missing = len(self.left_out) + self.unmade
        if not missing:
            return ""
        reasons = []
        if self.unmade:
            reasons.append(f"{_number(self.unmade, 'has', 'have')} not been made")
            if asked != "all":
                reasons = [f"{_number(self.unmade, 'was', 'were')} not asked for (--video {asked})"]
        if self.left_out:
            size = f"{self.size_left_out / 1e6:.1f} MB"
            reasons.append(f"{_number(len(self.left_out), 'was', 'were')} left out to keep it small ({size})")
        total = missing + len(self.chosen)
        return (
            f"{missing} of {pluralize(total, 'video')} {'is' if missing == 1 else 'are'} not in the page: "
            f"{' and '.join(reasons)}. See {'it' if missing == 1 else 'them all'} with: "
            f"{shlex.join(['watch-rollouts', *map(str, folders)])}"
        )


def _number(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _lost(runs: Sequence[ReportRun]) -> list[MissingVideo]:
    """Episodes without a video whose states should be there and are not."""
    return [
        MissingVideo(task=e.task, seed=e.seed, states=e.lost, reason=str(missing_states(e.lost)))
        for run in runs
        for e in run.episodes
        if e.lost is not None and not e.filmed
    ]


def name(run_index: int, episode: ReportEpisode) -> str:
    """Id of the element that holds an episode's video."""
    return f"video-{run_index}-{episode.task}-{episode.seed}"


def by_interest(runs: Sequence[ReportRun]) -> list[ReportEpisode]:
    """Errors and failures first, then successes, each by seed."""
    episodes = [episode for run in runs for episode in run.episodes]
    return sorted(episodes, key=lambda episode: (episode.success, episode.seed, episode.task))
