"""Rows of results.jsonl, one per episode."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import accumulate, groupby
from typing import Self

from ambidex.codec import Count
from ambidex.envs.types import NO_CODE, Behaviour, Outcome, RolloutResult
from ambidex.output_folder import row_from_line, row_to_line, versions
from ambidex.text import first_few, pluralize

RESULTS = "results.jsonl"

ROBOT_ONLY = ("late_steps", "unseen", "instruction", "note")
LEFT_OUT = (
    "model_sha256",
    "solved_at_start",
    "codes",
    "request_ms",
    "infer_ms",
    "perturbed",
    "first_request",
    "behaviour",
    *ROBOT_ONLY,
)
"""Fields that the file does not have where they are empty; `ROBOT_ONLY` are of rollouts on robots."""

MEASURED = ("wall_s", "request_ms", "infer_ms", "late_steps")
"""Fields that differ from run to run: times."""

EpisodeKey = tuple[str, int]
"""Task and seed."""

CodeRuns = tuple[tuple[int, int], ...]
"""Run-length encoded codes: (code, steps) pairs in order; empty for agents without codes."""


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
        initial_state_sha256: SHA-256 of the initial state; empty if the reset failed.
        wall_s: Wall-clock seconds.
        policy: A registered policy, "scripted", "random" or "hold", or the name of a policy on a server.
        execution: How chunks were executed, e.g. "chunk:100"; empty for a baseline.
        versions: Package -> version.
        error: The error, and in further lines its traceback; empty unless the outcome is an error.
        model_sha256: SHA-256 of the compiled model of the scene; empty in files of version 0.2.0 and earlier.
        solved_at_start: The goal held before the first action; if not, the row in the file has no such key.
        codes: The code behind each action; if there are none, the row in the file has no such key.
        request_ms: How long each request to the server of a policy took, with the network [ms]; likewise.
        infer_ms: How long the server says that its policy took for each [ms]; likewise.
        perturbed: Axis of perturbation -> its level and what was drawn for the episode; likewise.
        first_request: Part of what a policy was sent first -> a digest of it, or the text itself; likewise.
        behaviour: What the agent did; likewise, after an error and in files of version 0.2.0 and earlier.
        late_steps: On a robot, commands that came more than one control period after they were due; likewise.
        unseen: On a robot, what was unlike the training data, of `UNSEEN`; likewise.
        instruction: On a robot, what the policy was told if it was not the task's instruction; likewise.
        note: The operator's; likewise.
    """

    task: str
    seed: Count
    outcome: Outcome
    stage: Count
    stage_name: str
    steps: Count
    checks: Mapping[str, bool]
    reason: str
    initial_state_sha256: str
    wall_s: float
    policy: str
    execution: str
    versions: Mapping[str, str]
    error: str
    model_sha256: str = ""
    solved_at_start: bool = False
    codes: CodeRuns = ()
    request_ms: tuple[float, ...] = ()
    infer_ms: tuple[float, ...] = ()
    perturbed: Mapping[str, Mapping[str, float | str]] = field(default_factory=dict)
    first_request: Mapping[str, str] = field(default_factory=dict)
    behaviour: Behaviour | None = None
    late_steps: Count = 0
    unseen: tuple[str, ...] = ()
    instruction: str = ""
    note: str = ""

    @classmethod
    def of(cls, result: RolloutResult, *, policy: str, execution: str, model_sha256: str) -> Self:
        """The row of a rollout in a scene with this model."""
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
            error=f"{result.reason}\n{result.traceback}".strip() if result.outcome is Outcome.ERROR else "",
            model_sha256=model_sha256,
            solved_at_start=result.solved_at_start,
            codes=code_runs(result.codes),
            perturbed=result.perturbed,
            behaviour=result.behaviour,
        )

    @property
    def key(self) -> EpisodeKey:
        return self.task, self.seed

    @property
    def has_states(self) -> bool:
        """The reset succeeded, so the states were stored."""
        return bool(self.initial_state_sha256)

    @property
    def success(self) -> bool:
        return self.outcome is Outcome.SUCCESS

    def to_line(self) -> str:
        """One line of results.jsonl, without the newline; inverse of `from_line`."""
        return row_to_line(self, RESULTS, LEFT_OUT)

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Inverse of `to_line`.

        Raises:
            DatasetError: Not a row of results.jsonl.
        """
        return row_from_line(cls, line, RESULTS)


def solved_at_start_note(rows: Iterable[EpisodeRow]) -> str:
    """In how many episodes there was nothing to do; empty if in none."""
    keys = [row.key for row in rows if row.solved_at_start]
    if not keys:
        return ""
    listed = first_few([f"{task} seed {seed}" for task, seed in keys], separator=", ")
    episodes = pluralize(len(keys), "episode")
    return f"The goal held before the first action in {episodes}, which count as they ended: {listed}."


def code_runs(codes: Iterable[int]) -> CodeRuns:
    """Run-length encode the codes of an episode, one per step."""
    runs = tuple((int(code), len(list(steps))) for code, steps in groupby(codes))
    return () if all(code == NO_CODE for code, _ in runs) else runs


def code_at(runs: CodeRuns, step: int) -> int:
    """The code of a step, and of the last one for later steps; `NO_CODE` if there are no codes."""
    ends = accumulate(steps for _, steps in runs)
    current = (code for (code, _), end in zip(runs, ends, strict=True) if step < end)
    return next(current, runs[-1][0] if runs else NO_CODE)


def format_episodes(keys: Iterable[EpisodeKey]) -> str:
    """Episodes as ranges of seeds: "insertion 100000 to 100049, 100060; transfer_cube 100000"."""
    seeds: dict[str, list[int]] = {}
    for task, seed in sorted(keys):
        seeds.setdefault(task, []).append(seed)
    return "; ".join(f"{task} {', '.join(_ranges(found))}" for task, found in seeds.items())


def _ranges(seeds: list[int]) -> list[str]:
    ranges: list[list[int]] = []
    for seed in seeds:
        if ranges and seed == ranges[-1][-1] + 1:
            ranges[-1][1:] = [seed]
        else:
            ranges.append([seed])
    return [" to ".join(map(str, ends)) for ends in ranges]
