"""Counts outcomes and stages of episodes; the rate has its Wilson interval."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from ambidex.envs.types import Outcome
from ambidex.intervals import exact_interval, format_rate, wilson_interval


class CountedEpisode(Protocol):
    """What a tally reads of an episode."""

    @property
    def outcome(self) -> Outcome: ...
    @property
    def stage(self) -> int: ...
    @property
    def steps(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class StageCount:
    """How many episodes reached a stage or a later one; `rate` is their share, 0..1, and 0 without episodes."""

    stage: int
    name: str
    count: int
    rate: float


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Outcomes and stages of some episodes. The fields are keys of summary.json.

    Attributes:
        n: Episodes.
        successes: Episodes that succeeded.
        failures: Episodes that ended without success.
        errors: Episodes that ended with an error; they count as not successful.
        rate: successes / n; None without episodes.
        interval: Wilson's 95 % interval of the rate.
        exact_interval: Clopper and Pearson's, which covers 95 % at any rate.
        stages: How many episodes reached each stage from 1 on; empty for several tasks together.
        mean_steps: Mean length [steps]; None without episodes.
    """

    n: int
    successes: int
    failures: int
    errors: int
    rate: float | None
    interval: tuple[float, float]
    exact_interval: tuple[float, float]
    stages: tuple[StageCount, ...]
    mean_steps: float | None

    @classmethod
    def of(cls, episodes: Sequence[CountedEpisode], stages: Sequence[str] = ()) -> Self:
        """Count episodes. `stages` are the stage names of their task from 0 ("none"); empty for several tasks."""
        n, outcomes = len(episodes), Counter(episode.outcome for episode in episodes)
        successes = outcomes[Outcome.SUCCESS]
        return cls(
            n=n,
            successes=successes,
            failures=outcomes[Outcome.FAILURE],
            errors=outcomes[Outcome.ERROR],
            rate=successes / n if n else None,
            interval=wilson_interval(successes, n),
            exact_interval=exact_interval(successes, n),
            stages=tuple(_reached(episodes, stage, name) for stage, name in enumerate(stages) if stage > 0),
            mean_steps=sum(episode.steps for episode in episodes) / n if n else None,
        )

    def __str__(self) -> str:
        """The rate with its interval."""
        return format_rate(self.successes, self.n)


def _reached(episodes: Sequence[CountedEpisode], stage: int, name: str) -> StageCount:
    count = sum(episode.stage >= stage for episode in episodes)
    return StageCount(stage=stage, name=name, count=count, rate=count / len(episodes) if episodes else 0.0)
