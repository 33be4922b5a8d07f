"""Rows of attempts.jsonl from rollouts."""

from ambidex.envs.types import EnvSpec, RolloutResult
from ambidex.recorders.attempt import Attempt


def attempt_row(spec: EnvSpec, seed: int, result: RolloutResult) -> Attempt:
    """The row of an attempt, not yet numbered."""
    return Attempt(
        seed=seed,
        outcome=result.outcome,
        stage=result.stage,
        stage_name=spec.stages[result.stage],
        reason=result.reason,
        steps=result.steps,
        episode=None,
        wall_s=round(result.wall_s, 3),
    )
