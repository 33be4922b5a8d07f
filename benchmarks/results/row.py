"""One row of results.jsonl."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate, groupby
from typing import Self

from ambidex.codec import to_json
from ambidex.envs.types import NO_CODE, Outcome, RolloutResult
from ambidex.output_folder import row_from_line, versions

# FOLDED benchmarks.code_runs: The code behind each action of an episode, run-length encoded: a code is kept for a whole chunk.

CodeRuns = tuple[tuple[int, int], ...]
"""Codes, and for how many steps each was played, in order; empty for who has none."""


def code_runs(codes: Iterable[int]) -> CodeRuns:
    """The codes of an episode as runs."""
    runs = tuple((int(code), len(list(steps))) for code, steps in groupby(codes))
    return () if all(code == NO_CODE for code, _ in runs) else runs


def code_at(runs: CodeRuns, step: int) -> int:
    """The code of a step, the last one's from there on; `NO_CODE` if there is none."""
    ends = accumulate(steps for _, steps in runs)
    here = (code for (code, _), end in zip(runs, ends, strict=True) if step < end)
    return next(here, runs[-1][0] if runs else NO_CODE)


@dataclass(frozen=True, kw_only=True)
class EpisodeRow:
    """One benchmarked episode.

    Attributes:
        task: Task name.
        seed: Episode seed.
        outcome: How it ended; an error is not a success.
        stage: Highest stage reached, an index into the spec's stages.
        stage_name: Its name.
        steps: Control steps taken.
        checks: The task's conditions at the last step, by name.
        reason: Empty on success; otherwise which checks failed, or the error.
        initial_state_sha256: Fingerprint of the first state; empty if the episode could not begin.
        wall_s: Wall-clock seconds; the only field that differs from run to run.
        policy: Who acted: a registered policy, "scripted", "random" or "hold".
        execution: How chunks were played, e.g. "chunk:100"; empty for who does not predict chunks.
        versions: Package -> version.
        error: What broke; empty unless the outcome is an error.
        codes: The code behind each action; empty for who has none, and then not in the file.
    """

    task: str
    seed: int
    outcome: Outcome
    stage: int
    stage_name: str
    steps: int
    checks: Mapping[str, bool]
    reason: str
    initial_state_sha256: str
    wall_s: float
    policy: str
    execution: str
    versions: Mapping[str, str]
    error: str
    codes: CodeRuns = ()

    @classmethod
    def of(cls, result: RolloutResult, *, policy: str, execution: str) -> Self:
        """The row of a rollout."""
        return cls(
            task=result.spec.task,
            seed=result.seed,
            outcome=result.outcome,
            stage=result.stage,
            stage_name=result.spec.stages[result.stage],
            steps=result.steps,
            checks={name: bool(holds) for name, holds in result.checks.items()},
            reason=result.reason,
            initial_state_sha256=sha256(result.states[0].tobytes()).hexdigest() if result.started else "",
            wall_s=round(result.wall_s, 3),
            policy=policy,
            execution=execution,
            versions=versions(),
            error=result.reason if result.outcome is Outcome.ERROR else "",
            codes=code_runs(result.codes),
        )

    @property
    def began(self) -> bool:
        """It has a first state, and its states were kept."""
        return bool(self.initial_state_sha256)

    @property
    def success(self) -> bool:
        return self.outcome is Outcome.SUCCESS

    def to_line(self) -> str:
        """One line of results.jsonl, without its end; inverse of `from_line`."""
        values = to_json(self)
        if not self.codes:
            del values["codes"]
        return json.dumps(values, ensure_ascii=False)

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Inverse of `to_line`.

        Raises:
            DatasetError: Not a row of results.jsonl.
        """
        return row_from_line(cls, line, "results.jsonl")
