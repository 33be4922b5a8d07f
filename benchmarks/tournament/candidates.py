"""The policies of a tournament, by the flags --checkpoints and --policies."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from glob import has_magic
from itertools import chain, combinations, count
from pathlib import Path

from ambidex.benchmarks.evaluation.agents import BASELINES
from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.evaluation.own_policy import is_address
from ambidex.benchmarks.evaluation.plan import BenchmarkPlan, make_plan
from ambidex.benchmarks.take_over.plan import fingerprint
from ambidex.errors import CheckpointError, UsageError, check_name
from ambidex.policies.registry import POLICIES
from ambidex.policies.run_folder import CHECKPOINTS, CONFIG, find_checkpoint, policy_of, trained_tasks
from ambidex.text import first_few

OF_TOURNAMENT = ("tournament", "checkpoints", "policies", "budget")
OF_CHECKPOINTS = ("execution", "execute_steps", "code", "device")
"""Flags that the others have no use for."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A policy of a tournament.

    Attributes:
        name: Name in reports, and of its results folder.
        policy: What `run-benchmark --policy` takes.
        checkpoint: Folder of its checkpoint; empty for baselines and code of the user's own.
        fingerprint: SHA-256 of its weights or code; empty for a baseline.
    """

    name: str
    policy: str
    checkpoint: str = ""
    fingerprint: str = ""

    def config(self, config: BenchmarkConfig) -> BenchmarkConfig:
        """The flags of a benchmark of this policy alone, given those of the tournament."""
        reset = OF_TOURNAMENT if self.checkpoint else (*OF_TOURNAMENT, *OF_CHECKPOINTS)
        defaults = {name: getattr(BenchmarkConfig(), name) for name in reset}
        checkpoint = Path(self.checkpoint) if self.checkpoint else None
        return replace(config, **defaults, policy=self.policy, checkpoint=checkpoint, video=config.video or "none")


def plan_candidates(config: BenchmarkConfig) -> tuple[list[Candidate], BenchmarkPlan]:
    """The policies that the flags name, in this order, and the checked flags of a benchmark of the first one.

    Paths that lead to the same checkpoint, such as checkpoints/last and the step that it points to, are one policy.

    Raises:
        UsageError: Fewer than two policies, a path or name that is none, the same policy twice, a checkpoint of other
            tasks, or a flag that is missing, unknown or impossible.
        CheckpointError: A checkpoint is damaged.
    """
    found = [*_trained(config.checkpoints or ()), *map(_untrained, config.policies or ())]
    if len(found) < 2:
        given = f"only {found[0].checkpoint or found[0].policy}" if found else "none"
        hint = "Name trained ones with --checkpoints PATH ..., and baselines or code of your own with --policies."
        raise UsageError(f"--tournament: expected two policies or more, got {given}.", hint, got=len(found))
    plans = [make_plan(replace(each.config(config), resume=False)) for each in found]
    complete = [replace(each, fingerprint=fingerprint(plan)) for each, plan in zip(found, plans, strict=True)]
    _check_different(complete)
    for candidate in complete:
        _check_trained_on(candidate, plans[0].tasks)
    return _with_own_names(complete), plans[0]


def _trained(words: Sequence[str]) -> list[Candidate]:
    folders = dict.fromkeys(find_checkpoint(path) for word in words for path in _paths(word))
    return [_of_checkpoint(folder) for folder in folders]


def _paths(word: str) -> list[Path]:
    """The paths of a pattern that the shell has not expanded, or the path itself."""
    path = Path(word)
    if path.exists() or not has_magic(word):
        return [path]
    found = sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    if not found:
        hint = "Expected checkpoints or run folders, such as runs/*/checkpoints/*."
        raise UsageError(f"--checkpoints {word}: nothing matches in {Path.cwd()}.", hint, got=word)
    return found


def _of_checkpoint(folder: Path) -> Candidate:
    policy = policy_of(folder)
    if policy is None:
        raise CheckpointError(f"{folder / CONFIG} does not name the policy.", "Name another checkpoint.", path=folder)
    in_run = folder.parent.name == CHECKPOINTS
    name = f"{folder.parent.parent.name}-{folder.name}" if in_run else folder.name
    return Candidate(name=name, policy=policy, checkpoint=str(folder))


def _untrained(policy: str) -> Candidate:
    if policy in POLICIES:
        problem = f"--policies {policy}: this is a trained policy."
        raise UsageError(problem, "Name its checkpoint with --checkpoints.", got=policy)
    if not is_address(policy):
        check_name("baseline in --policies", policy, BASELINES)
    return Candidate(name=re.sub(r"[^\w.+-]+", "-", policy), policy=policy)


def _check_different(candidates: Sequence[Candidate]) -> None:
    for one, other in combinations(candidates, 2):
        if (one.policy, one.fingerprint) == (other.policy, other.fingerprint):
            names = [each.checkpoint or each.policy for each in (one, other)]
            problem = f"{names[0]} and {names[1]} are the same policy, with the same weights or code."
            raise UsageError(problem, "Leave one of the two out.", got=names)


def _check_trained_on(candidate: Candidate, tasks: Sequence[str]) -> None:
    """Raise a UsageError if a checkpoint is known to be of other tasks only."""
    known = sorted({task for names in trained_tasks(Path(candidate.checkpoint)) for task in names})
    if candidate.checkpoint and known and not set(known) & set(tasks):
        wanted = first_few(tasks, separator=", ")
        problem = f"{candidate.checkpoint} was trained on {first_few(known, separator=', ')}, not on {wanted}."
        hint = "Leave it out; run-benchmark --checkpoint evaluates it in other tasks."
        raise UsageError(problem, hint, path=candidate.checkpoint, got=known, expected=tuple(tasks))


def _with_own_names(candidates: Sequence[Candidate]) -> list[Candidate]:
    """With a number after each name that is taken already."""
    named: dict[str, Candidate] = {}
    for candidate in candidates:
        names = chain([candidate.name], (f"{candidate.name}.{number}" for number in count(2)))
        name = next(each for each in names if each not in named)
        named[name] = replace(candidate, name=name)
    return list(named.values())
