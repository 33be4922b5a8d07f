"""Trains a policy: what `train-policy` does, from Python."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ambidex.envs.errors import UsageError
from ambidex.policies.batch import TrainingBatch
from ambidex.policies.checkpoint import policy_type
from ambidex.policies.dataset import read_table
from ambidex.policies.device import choose_device, choose_precision
from ambidex.policies.episode_table import EpisodeTable, RowArray
from ambidex.policies.frame_source import FrameSource
from ambidex.policies.learner import Learner
from ambidex.policies.policy import Policy
from ambidex.policies.ranks import Ranks, joined, ranks_from_environment
from ambidex.policies.resident_data import ResidentFrames
from ambidex.policies.run_folder import RUNS, TRAINING_STATE, checkpoint_path, resumable_step
from ambidex.policies.sample_gatherer import SampleGatherer
from ambidex.policies.sampler import Sampler
from ambidex.policies.split import split
from ambidex.policies.statistics import FieldStatistics, Statistics
from ambidex.policies.train_config import TrainConfig
from ambidex.policies.train_plan import TrainPlan
from ambidex.policies.trainer import Trainer
from ambidex.policies.training_log import TrainingLog
from ambidex.policies.validation import Validation


def train(config: TrainConfig[Any]) -> Path:
    """Train a policy, or go on with its training.

    Args:
        config: What to train on what, and how.

    Returns:
        The run's folder.

    Raises:
        UsageError: Something that is asked for does not exist or cannot be.
        DatasetError: A dataset is missing, empty or damaged.
        TrainingError: The loss is not finite. The last checkpoint is whole.
        KeyboardInterrupt: Asked to stop.
    """
    ranks = ranks_from_environment()
    device = choose_device(config.device, ranks.local)
    run = run_folder(config)
    config = replace(config, output_dir=run, precision=choose_precision(config.precision, device))
    table = read_table(config.data)
    training, held_out = split(len(table.entries), config.validation_fraction, config.seed)
    statistics = statistics_of(table, table.rows(training))
    policy = make_policy(config, table, statistics).to(device)
    plan = TrainPlan(config=config, run=run, policy=policy, statistics=statistics, device=device, ranks=ranks)
    with joined(ranks, device):
        _run(plan, table, table.rows(training), table.rows(held_out))
    return run


def run_folder(config: TrainConfig[Any]) -> Path:
    """Where a run goes: --output-dir, or runs/POLICY-DATASET."""
    return config.output_dir or RUNS / f"{config.policy}-{'+'.join(path.resolve().name for path in config.data)}"


def statistics_of(table: EpisodeTable, rows: RowArray) -> Statistics:
    """Statistics of some rows of a table."""
    fields = (table.qpos, table.objects, table.actions)
    qpos, objects, actions = (FieldStatistics.of(field[rows]) for field in fields)
    return Statistics(qpos=qpos, objects=objects, actions=actions)


def make_policy(config: TrainConfig[Any], table: EpisodeTable, statistics: Statistics) -> Policy:
    """A fresh policy; its first weights are a pure function of the seed.

    Raises:
        UsageError: The datasets lack something that it looks at.
    """
    torch.manual_seed(config.seed)
    policy = policy_type(config.policy)(config.model, table.spec, statistics)
    missing = [camera for camera in policy.inputs.cameras if camera not in table.spec.cameras]
    if missing:
        raise UsageError(f"missing {missing}")
    policy.spec = replace(table.spec, cameras=policy.inputs.cameras)
    return policy


def _run(plan: TrainPlan, table: EpisodeTable, training: RowArray, held_out: RowArray) -> None:
    config = plan.config
    learner = Learner(plan)
    first_step = 0
    frames = ResidentFrames(table, plan.policy.inputs.cameras, device=plan.device, home=plan.device, workers=2)
    gatherer = SampleGatherer(table, plan.policy.chunk_size, plan.device)
    sampler = Sampler(training, config.batch_size, config.seed, plan.ranks.rank, plan.ranks.count)
    batches = _batches(sampler, frames, gatherer, first_step, config.steps)
    validation = Validation(plan, held_out, frames, gatherer) if len(held_out) else None
    with TrainingLog(plan.run, config.policy, steps=config.steps, done=first_step, quiet=config.quiet) as log:
        Trainer(plan, learner, batches, validation, log, first_step).run()


def _batches(
    sampler: Sampler, frames: FrameSource, gatherer: SampleGatherer, first: int, end: int
) -> Iterator[TrainingBatch]:
    orders = sampler.steps(first, end)
    for rows, images in zip(sampler.steps(first, end), frames.batches(orders), strict=True):
        yield gatherer.batch(rows, images)
