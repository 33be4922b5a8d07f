"""Rows of attempts.jsonl from what came out of a rollout job."""

from ambidex.envs.pool_worker import WorkerError
from ambidex.envs.types import EnvSpec, Outcome, RolloutResult
from ambidex.recorders.attempt import Attempt


def attempt_row(spec: EnvSpec, seed: int, result: RolloutResult | WorkerError) -> Attempt:
    """The row of an attempt, not yet numbered. A worker that failed is an attempt that broke."""
    if isinstance(result, WorkerError):
        return Attempt(
            seed=seed,
            outcome=Outcome.ERROR,
            stage=0,
            stage_name=spec.stages[0],
            reason=result.message,
            steps=0,
            episode=None,
            wall_s=0.0,
        )
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
