"""What rows of results amount to: rates with intervals, and how far the episodes got."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from ambidex.benchmarks.results.folder import SUMMARY
from ambidex.benchmarks.results.row import EpisodeRow
from ambidex.envs.types import Outcome
from ambidex.errors import DatasetError
from ambidex.intervals import format_rate, wilson_interval


@dataclass(frozen=True, kw_only=True)
class StageCount:
    """How many episodes reached at least a stage.

    Attributes:
        stage: Index of the stage.
        name: Its name.
        count: Episodes that reached it or a later one.
        rate: Their share, 0..1; 0 if there is no episode.
    """

    stage: int
    name: str
    count: int
    rate: float


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What rows of results amount to.

    Attributes:
        n: Episodes.
        successes: Those that succeeded.
        failures: Those that did not.
        errors: Those that broke; they count as not successful.
        rate: successes / n; None without episodes.
        interval: Wilson's 95 % interval of the rate.
        stages: How many reached each stage; empty for tasks of different stages together.
        mean_steps: Mean length [steps]; None without episodes.
    """

    n: int
    successes: int
    failures: int
    errors: int
    rate: float | None
    interval: tuple[float, float]
    stages: tuple[StageCount, ...]
    mean_steps: float | None

    @classmethod
    def of(cls, rows: Sequence[EpisodeRow], stages: Sequence[str] = ()) -> Self:
        """Of rows of one task, whose stages from 0 ("none") are named, or of several tasks, without stages."""
        n, successes = len(rows), _count(rows, Outcome.SUCCESS)
        return cls(
            n=n,
            successes=successes,
            failures=_count(rows, Outcome.FAILURE),
            errors=_count(rows, Outcome.ERROR),
            rate=successes / n if n else None,
            interval=wilson_interval(successes, n),
            stages=tuple(_reached(rows, stage, name) for stage, name in enumerate(stages) if stage > 0),
            mean_steps=sum(row.steps for row in rows) / n if n else None,
        )

    def to_dict(self) -> dict[str, object]:
        """JSON-ready."""
        return asdict(self)

    def in_words(self) -> str:
        """The rate with its interval."""
        return format_rate(self.successes, self.n)


def _count(rows: Sequence[EpisodeRow], outcome: Outcome) -> int:
    return sum(row.outcome is outcome for row in rows)


def _reached(rows: Sequence[EpisodeRow], stage: int, name: str) -> StageCount:
    count = sum(row.stage >= stage for row in rows)
    return StageCount(stage=stage, name=name, count=count, rate=count / len(rows) if rows else 0.0)


# FOLDED benchmarks.stored_summary: summary.json of a results folder, as it is read again.


@dataclass(frozen=True, kw_only=True)
class StoredSummary:
    """What summary.json says of the episodes beside it.

    Attributes:
        complete: Every episode that was asked for then has its row.
        episodes: How many rows it counts.
    """

    complete: bool
    episodes: int

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Of a results folder; None if it has no summary yet.

        Raises:
            DatasetError: It is damaged.
        """
        path = folder / SUMMARY
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            counts = [int(task["n"]) for task in values["tasks"].values()]
            return cls(complete=values["complete"] is True, episodes=sum(counts))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DatasetError(
                f"{path} cannot be read as a summary ({type(error).__name__}: {error}). Remove it and run the "
                "benchmark again with --resume, which writes it anew."
            ) from error
