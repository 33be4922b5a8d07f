"""One row of attempts.jsonl."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Self

from ambidex.envs.types import Outcome, RolloutResult
from ambidex.errors import DatasetError


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

    def to_json(self) -> str:
        """One line of JSON, without its end; inverse of `from_json`."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, line: str) -> Self:
        """Inverse of `to_json`.

        Raises:
            DatasetError: Not a row of attempts.jsonl.
        """
        expected = [f.name for f in fields(cls)]
        try:
            row = json.loads(line)
            if sorted(row) != sorted(expected):
                raise ValueError(f"fields {sorted(row)}")
            return cls(**{**row, "outcome": Outcome(row["outcome"])})
        except (ValueError, TypeError) as error:
            raise DatasetError(
                f"Not a row of attempts.jsonl: {line[:200]!r} ({error}). Expected a JSON object with "
                f"{', '.join(expected)}. Restore the file, or record the dataset again."
            ) from error
