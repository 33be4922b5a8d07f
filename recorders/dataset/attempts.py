"""attempts.jsonl: one row for each attempted seed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ambidex.codec import Count
from ambidex.envs.types import Episode, Outcome, RolloutResult
from ambidex.output_folder import read_rows

ATTEMPTS = "attempts.jsonl"


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attempted seed, whether its episode is stored or not.

    Attributes:
        seed: Episode seed.
        outcome: How it ended.
        stage: Highest stage reached, an index into the spec's stages.
        stage_name: Its name.
        reason: Empty on success; otherwise which checks failed, or the error.
        steps: Control steps taken.
        episode: Number of the episode, None if it was no success.
        wall_s: Wall-clock seconds; the only field that differs from run to run.
    """

    seed: Count
    outcome: Outcome
    stage: Count
    stage_name: str
    reason: str
    steps: Count
    episode: Count | None
    wall_s: float

    @classmethod
    def of(cls, result: RolloutResult, episode: int | None = None) -> Self:
        """The row of a rollout."""
        return cls(
            seed=result.seed,
            outcome=result.outcome,
            stage=result.stage,
            stage_name=result.spec.stages[result.stage],
            reason=result.reason,
            steps=result.steps,
            episode=episode,
            wall_s=round(result.wall_s, 3),
        )

    @classmethod
    def of_episode(cls, episode: Episode, number: int) -> Self:
        """The row of an episode of another program, whose seed is its number."""
        return cls(
            seed=number,
            outcome=episode.outcome,
            stage=episode.stage,
            stage_name=episode.spec.stages[episode.stage],
            reason="",
            steps=episode.steps,
            episode=number,
            wall_s=0.0,
        )


def read_attempts(directory: Path) -> list[Attempt]:
    """The complete rows of attempts.jsonl in order; empty if there is no such file.

    Raises:
        DatasetError: A row is damaged, or a seed has two.
    """
    return read_rows(Attempt, directory / ATTEMPTS, lambda attempt: f"seed {attempt.seed}")
