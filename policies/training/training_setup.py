"""Puts together what a training needs."""

import os
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch

from ambidex.policies.batch import TrainingBatch
from ambidex.policies.checkpoint import policy_type
from ambidex.policies.policy import Policy
from ambidex.policies.statistics import FieldStatistics, Statistics
from ambidex.policies.training.train_checks import check_inputs
from ambidex.policies.training.train_config import TrainConfig
from ambidex.policies.training.train_plan import TrainPlan
from ambidex.policies.training_data.augmentation import Augmentation
from ambidex.policies.training_data.episode_table import EpisodeTable, RowArray
from ambidex.policies.training_data.frame_home import FrameHome, choose_home
from ambidex.policies.training_data.frame_reading import FrameReader, frames_size
from ambidex.policies.training_data.frame_source import FrameSource
from ambidex.policies.training_data.resident_data import ResidentFrames
from ambidex.policies.training_data.sample_gatherer import SampleGatherer
from ambidex.policies.training_data.sampler import Sampler
from ambidex.policies.training_data.streaming_data import StreamingFrames
from ambidex.progress import Progress

MOST_WORKERS = 16


def statistics_of(table: EpisodeTable, rows: RowArray) -> Statistics:
    """Statistics of some rows of a table."""
    fields = (table.qpos, table.objects, table.actions)
    qpos, objects, actions = (FieldStatistics.of(field[rows]) for field in fields)
    return Statistics(qpos=qpos, objects=objects, actions=actions)


def make_policy(config: TrainConfig[Any], table: EpisodeTable, statistics: Statistics) -> Policy:
    """A fresh policy; its first weights are a pure function of the seed. Its spec has the cameras it looks at.

    Raises:
        UsageError: The data lacks something that it looks at.
    """
    torch.manual_seed(config.seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Initializing zero-element tensors")  # no objects; refused below if needed
        policy = policy_type(config.policy)(config.model, table.spec, statistics)
    check_inputs(policy, table, config)
    policy.spec = replace(table.spec, cameras=policy.inputs.cameras)
    return policy


def find_home(plan: TrainPlan, table: EpisodeTable) -> FrameHome:
    """Which data path to take.

    Raises:
        UsageError: What is asked for cannot be.
    """
    size = frames_size(len(table), plan.policy.inputs.cameras, table.spec.image_size)
    return choose_home(size, plan.device, plan.config.data_path, plan.ranks.local_count)


def make_frames(plan: TrainPlan, table: EpisodeTable, home: FrameHome) -> FrameSource:
    """The source of pixels; decodes them all where they are to be resident.

    Raises:
        DatasetError: A frame is damaged.
    """
    reader = FrameReader(table, plan.policy.inputs.cameras)
    workers = plan.config.data_workers
    if workers is None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        workers = min(MOST_WORKERS, max(1, cores // plan.ranks.local_count))
    if home.device is None:
        return StreamingFrames(reader, plan.device, workers)
    quiet = plan.config.quiet or not plan.ranks.first or not reader.cameras
    with Progress("decoding", len(table), quiet=quiet, unit="row") as progress:
        return ResidentFrames(
            reader,
            len(table),
            table.spec.image_size,
            device=plan.device,
            home=home.device,
            workers=workers,
            progress=progress.update,
        )


def training_batches(
    plan: TrainPlan, rows: RowArray, frames: FrameSource, gatherer: SampleGatherer, first_step: int
) -> Iterator[TrainingBatch]:
    """The batches of this process from a step on, drawn and changed as the seed says."""
    config, ranks = plan.config, plan.ranks
    sampler = Sampler(rows, config.batch_size, config.seed, ranks.rank, ranks.count)
    augment = Augmentation(random_shift=config.random_shift, colour_jitter=config.colour_jitter)
    sources = frames.batches(sampler.steps(first_step, config.steps))
    for order, images in zip(sampler.steps(first_step, config.steps), sources, strict=True):
        yield gatherer.batch(order, augment(images))
