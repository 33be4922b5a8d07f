"""One row of attempts.jsonl."""

from dataclasses import dataclass
from typing import Self

from ambidex.envs.types import Outcome, RolloutResult


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attempted seed, kept or not.

    Attributes:
        seed: Episode seed.
        outcome: How it ended.
        stage: Highest stage reached, an index into the spec's stages.
        stage_name: Its name.
        reason: Empty on success; otherwise which checks failed, or the error.
        steps: Control steps taken.
        episode: Index of the episode file, None if not kept.
        wall_s: Wall-clock seconds; the only field that differs from run to run.
    """

    seed: int
    outcome: Outcome
    stage: int
    stage_name: str
    reason: str
    steps: int
    episode: int | None
    wall_s: float

    @classmethod
    def of(cls, result: RolloutResult) -> Self:
        """The row of a rollout, not yet numbered."""
        return cls(
            seed=result.seed,
            outcome=result.outcome,
            stage=result.stage,
            stage_name=result.spec.stages[result.stage],
            reason=result.reason,
            steps=result.steps,
            episode=None,
            wall_s=round(result.wall_s, 3),
        )
