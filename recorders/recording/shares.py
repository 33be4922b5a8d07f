"""Which seeds a shard of a recording attempts, and which ones merged shards lack."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from ambidex.envs.shards import Shard
from ambidex.errors import UsageError
from ambidex.recorders.dataset.info import DATASET_JSON, DatasetInfo
from ambidex.recorders.recording.checks import TaskPlan

REMAINING = "remaining"  # within merged shards: a dataset of the attempts that they lack, while these are recorded


def with_seeds(plans: Sequence[TaskPlan]) -> list[TaskPlan]:
    """The plans of a command with the seeds of its shard; the same plans if it records none.

    Shards divide the first `num_episodes` seeds of all tasks, as one list. Tasks without a seed in this shard are left
    out. A shard that is resumed keeps the seeds in its dataset.json, so that one task of a suite can be resumed alone.

    Raises:
        UsageError: There are more shards than attempts, and none is left for this one.
        DatasetError: The dataset.json of a shard is damaged.
    """
    name = plans[0].config.shard
    if name is None:
        return list(plans)
    dealt = _deal(plans, Shard.parse(name))
    shared = [replace(plan, seeds=stored_seeds(plan) or tuple(dealt[i])) for i, plan in enumerate(plans)]
    kept = [plan for plan in shared if plan.seeds]
    if not kept:
        attempts = sum(plan.config.num_episodes for plan in plans)
        problem = f"--shard {name}: nothing is left for this shard of {attempts} attempts."
        raise UsageError(problem, f"Use at most {attempts} shards.", got=name, expected=attempts)
    return kept


def stored_seeds(plan: TaskPlan) -> tuple[int, ...]:
    """The seeds in the dataset.json that a plan resumes; empty if it has none, or there is nothing to resume.

    Raises:
        DatasetError: It is damaged.
    """
    exists = plan.config.resume and (plan.directory / DATASET_JSON).exists()
    return DatasetInfo.read(plan.directory).seeds if exists else ()


def seeds_between(merged: TaskPlan) -> tuple[int, ...]:
    """Those of the first `num_episodes` seeds that merged shards lack; the plan's seeds are those that they have."""
    first = merged.config.seed
    return tuple(seed for seed in range(first, first + merged.config.num_episodes) if seed not in merged.seeds)


def _deal(plans: Sequence[TaskPlan], shard: Shard) -> dict[int, list[int]]:
    """Index of a plan -> its seeds in the shard, ascending."""
    pairs = [(i, plan.config.seed + k) for i, plan in enumerate(plans) for k in range(plan.config.num_episodes)]
    dealt: dict[int, list[int]] = defaultdict(list)
    for i, seed in shard.of(pairs):
        dealt[i].append(seed)
    return dealt
