"""Which seeds a shard of a recording attempts, and which ones merged shards lack."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from ambidex.envs.shards import Shard
from ambidex.recorders.dataset.info import DATASET_JSON, DatasetInfo
from ambidex.recorders.recording.checks import TaskPlan

REMAINING = "remaining"  # within merged shards: a dataset of the attempts that they lack, while these are recorded


def with_shard_seeds(plans: Sequence[TaskPlan]) -> list[TaskPlan]:
    """The plans of a command with the seeds of its shard; the same plans if it records none.

    Shards divide the first `num_episodes` seeds of all tasks, as one list. Tasks without a seed in this shard are left
    out. A shard that is resumed keeps the seeds in its dataset.json, so that one task of a suite can be resumed alone.

    Raises:
        UsageError: There are more shards than attempts.
        DatasetError: The dataset.json of a shard is damaged.
    """
    name = plans[0].config.shard
    if name is None:
        return list(plans)
    shard, stored = Shard.parse(name), [stored_seeds(plan) for plan in plans]
    if not any(stored):
        shard.check(sum(plan.config.num_episodes for plan in plans), "attempt")
    dealt = _deal(plans, shard)
    seeds = [known or tuple(dealt[i]) for i, known in enumerate(stored)]
    return [replace(plan, seeds=each) for plan, each in zip(plans, seeds, strict=True) if each]


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
