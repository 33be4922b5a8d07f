"""What episodes amount to: successes, errors, the interval of the rate, and how many reached each stage."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from ambidex.benchmarks.gallery.report_episode import ReportEpisode
from ambidex.envs.types import Outcome
from ambidex.intervals import rate_in_words, wilson_interval


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What episodes amount to.

    Attributes:
        task: Task name; empty for all tasks together.
        n: Episodes.
        successes: Those that succeeded.
        errors: Those that broke; they count as not successful.
        low: Lower end of Wilson's 95 % interval of the rate.
        high: Upper end.
        stages: Stage names from 0, "none"; empty for all tasks together.
        reached: Episodes that reached at least each of them.
        missing: Episodes that were asked for and are not there.
    """

    task: str
    n: int
    successes: int
    errors: int
    low: float
    high: float
    stages: tuple[str, ...]
    reached: tuple[int, ...]
    missing: int

    @classmethod
    def of(
        cls,
        episodes: Sequence[ReportEpisode],
        *,
        task: str = "",
        stages: tuple[str, ...] = (),
        asked: int | None = None,
    ) -> Self:
        """Of episodes of one task with its stages, or of several tasks without; `asked` is None if nobody knows."""
        successes = sum(episode.success for episode in episodes)
        low, high = wilson_interval(successes, len(episodes))
        return cls(
            task=task,
            n=len(episodes),
            successes=successes,
            errors=sum(episode.outcome is Outcome.ERROR for episode in episodes),
            low=low,
            high=high,
            stages=stages,
            reached=tuple(sum(episode.stage >= stage for episode in episodes) for stage in range(len(stages))),
            missing=max(0, (asked or 0) - len(episodes)),
        )

    def in_words(self) -> str:
        """The rate with its interval, and how many episodes are missing."""
        missing = f", {self.missing} of {self.n + self.missing} episodes missing" if self.missing else ""
        return f"{self.task or 'all tasks'}: {rate_in_words(self.successes, self.n)}{missing}"
