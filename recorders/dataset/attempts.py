"""attempts.jsonl: one row for each attempted seed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from ambidex.codec import Count
from ambidex.envs.types import Drawn, Episode, Outcome, RolloutResult, TakenOver
from ambidex.output_folder import read_rows, row_to_line

ATTEMPTS = "attempts.jsonl"
LEFT_OUT = ("perturbed", "look", "taken_over")
"""Fields that the file does not have where they are empty."""


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
        perturbed: Axis of perturbation -> its level and what was drawn; if nothing is perturbed, the row in the file
            has no such key.
        look: Which of several looks of the episode, see `Episode`; likewise.
        taken_over: The failed episode that this one continues; likewise.
    """

    seed: Count
    outcome: Outcome
    stage: Count
    stage_name: str
    reason: str
    steps: Count
    episode: Count | None
    wall_s: float
    perturbed: Mapping[str, Drawn] = field(default_factory=dict)
    look: Count = 0
    taken_over: TakenOver | None = None

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
            perturbed=result.perturbed,
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

    def to_line(self) -> str:
        """One line of attempts.jsonl, without its end."""
        return row_to_line(self, ATTEMPTS, LEFT_OUT)


def read_attempts(directory: Path) -> list[Attempt]:
    """The complete rows of attempts.jsonl in order; empty if there is no such file.

    Raises:
        DatasetError: A row is damaged, or a look of a seed has two.
    """
    return read_rows(Attempt, directory / ATTEMPTS, _name)


def _name(attempt: Attempt) -> str:
    step = f", taken over at step {attempt.taken_over.step}" if attempt.taken_over else ""
    return f"seed {attempt.seed}{step}" + (f", look {attempt.look}" if attempt.look else "")
