"""Prepares a training: the policy, the storage of frames, and the batches of each embodiment."""

import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import islice
from typing import Any

import torch

from ambidex.errors import NoImagesError, UsageError
from ambidex.policies.batch import TrainingBatch
from ambidex.policies.checkpoint import policy_class
from ambidex.policies.data.batches import Augmentation, SampleGatherer
from ambidex.policies.data.episode_table import EpisodeTable, RowArray, row_blocks
from ambidex.policies.data.frame_sources import (
    FrameSource,
    ResidentFrames,
    StreamingFrames,
    choose_storage,
    frames_size,
)
from ambidex.policies.data.frames import FrameReader
from ambidex.policies.data.split import Mixture, Sampler
from ambidex.policies.policy import Policy
from ambidex.policies.training.checks import check_inputs, check_named_cameras, raise_missing_images
from ambidex.policies.training.config import TrainConfig
from ambidex.policies.training.plan import EmbodimentData, TrainPlan
from ambidex.progress import Progress
from ambidex.text import first_few

INSTRUCTIONS = "instructions"  # the setting of policies that tell tasks apart
FEATURE_ROWS = 64  # rows whose features are computed at once
MAX_WORKERS = 16


def with_instructions(config: TrainConfig[Any], tables: Sequence[EpisodeTable]) -> TrainConfig[Any]:
    """The config with the instructions of the data, if there are several and the policy has a setting for them.

    Raises:
        UsageError: Instructions are given, and the data has others.
    """
    if INSTRUCTIONS not in {field.name for field in fields(config.model)}:
        return config
    found = tuple(dict.fromkeys(entry.instruction for table in tables for entry in table.entries))
    given: tuple[str, ...] = getattr(config.model, INSTRUCTIONS)
    unknown = [instruction for instruction in found if instruction not in given]
    if given and unknown:
        problem = f"--instructions names {len(given)} tasks, but the data has others: {first_few(unknown)}."
        hint = "Leave out the flag to use the instructions of the data."
        raise UsageError(problem, hint, field=INSTRUCTIONS, got=given, expected=found)
    if given or len(found) < 2:
        return config
    return replace(config, model=replace(config.model, **{INSTRUCTIONS: found}))


def make_policy(config: TrainConfig[Any], data: Sequence[EmbodimentData]) -> Policy:
    """A new policy, whose weights are a pure function of the seed. Its spec has the cameras that it uses.

    Raises:
        UsageError: The data lacks something that the policy uses.
    """
    with torch.device("meta"):  # the weights of large models take minutes and memory
        _check_data(_construct(config, data), config, data)
    torch.manual_seed(config.seed)
    policy = _construct(config, data)
    policy.spec = replace(policy.spec, cameras=policy.inputs.cameras)
    return policy


def _construct(config: TrainConfig[Any], data: Sequence[EmbodimentData]) -> Policy:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Initializing zero-element tensors")  # no objects; see `_check_data`
        try:
            policy = policy_class(config.policy)(config.model, data[0].table.spec, data[0].statistics)
            for further in data[1:]:
                policy.add_embodiment(further.table.spec, further.statistics)
        except NoImagesError as error:
            raise_missing_images([each.table for each in data], config, str(error))
            raise
    return policy


def _check_data(policy: Policy, config: TrainConfig[Any], data: Sequence[EmbodimentData]) -> None:
    for each in data:
        check_inputs(policy.inputs_for(each.embodiment), each.table, config)
    check_named_cameras([each.table for each in data], config)


def plan_storage(plan: TrainPlan) -> tuple[torch.device | None, str]:
    """Where to store the frames of all embodiments, and why; see `choose_storage`.

    Raises:
        UsageError: The frames do not fit where they are wanted.
    """
    size = sum(
        frames_size(len(each.table), plan.policy.inputs_for(each.embodiment).cameras, each.table.spec.image_size)
        for each in plan.data
    )
    return choose_storage(size, plan.device, plan.config.data_path, plan.ranks.local_count)


@dataclass(frozen=True, kw_only=True, eq=False)
class SampleStream:
    """Makes batches of one embodiment's data; everything except its frames comes from the gatherer."""

    data: EmbodimentData
    frames: FrameSource
    gatherer: SampleGatherer

    def samples(self, rows: RowArray) -> TrainingBatch:
        """The samples of some rows (B,), without augmentation."""
        return self.gatherer.batch(rows, self.frames.images(self.gatherer.windows(rows)))

    def batches(self, plan: TrainPlan, first: int, end: int) -> Iterator[TrainingBatch]:
        """Augmented batches of this process, those of the embodiment's own steps from `first` to before `end`."""
        config, ranks = plan.config, plan.ranks
        rows = self.data.table.rows(self.data.training)
        sampler = Sampler(rows, config.batch_size, config.seed, ranks.rank, ranks.count)
        augment = Augmentation(random_shift=config.random_shift, colour_jitter=config.colour_jitter)
        span = first * config.accumulate_steps, end * config.accumulate_steps
        sources = self.frames.batches(map(self.gatherer.windows, sampler.steps(*span)))
        for order, images in zip(sampler.steps(*span), sources, strict=True):
            yield self.gatherer.batch(order, augment(images))


def make_stream(plan: TrainPlan, data: EmbodimentData, storage: torch.device | None) -> SampleStream:
    """The samples of an embodiment; decodes all frames if there is a device to store them on.

    Raises:
        DatasetError: A frame is damaged.
    """
    inputs = plan.policy.inputs_for(data.embodiment)
    reader = FrameReader(data.table, inputs.cameras)
    gatherer = SampleGatherer(data.table, inputs, plan.policy.chunk_size, plan.device)
    stream = SampleStream(data=data, frames=_frame_source(plan, data.table, reader, storage), gatherer=gatherer)
    augmented = plan.config.random_shift or plan.config.colour_jitter  # then images differ each time
    if plan.config.adapt and not augmented:
        _cache_features(plan, stream)
    return stream


def training_batches(
    plan: TrainPlan, streams: Sequence[SampleStream], first_step: int
) -> Iterator[tuple[TrainingBatch, ...]]:
    """The batches of each step of this process from a step on, all of one embodiment, the same one in all processes."""
    config = plan.config
    mixture = Mixture([stream.data.weight for stream in streams], config.seed, config.steps)
    sources = [
        stream.batches(plan, mixture.count(index, first_step), mixture.count(index))
        for index, stream in enumerate(streams)
    ]
    return (tuple(islice(sources[index], config.accumulate_steps)) for index in mixture.embodiments[first_step:])


@torch.no_grad()
def _cache_features(plan: TrainPlan, stream: SampleStream) -> None:
    """Compute the policy's cacheable features of every row, if it has any."""
    rows, quiet = len(stream.data.table), plan.config.quiet or not plan.ranks.first
    blocks, features = row_blocks(rows, FEATURE_ROWS), []
    inputs = replace(plan.policy.inputs_for(stream.data.embodiment), history=1, stride=1)
    single = SampleGatherer(stream.data.table, inputs, plan.policy.chunk_size, plan.device)
    plan.policy.eval()
    with Progress("computing features", rows, quiet=quiet, unit="row") as progress:
        for block, images in zip(blocks, stream.frames.batches(iter(blocks)), strict=True):
            found = plan.policy.cacheable_features(single.batch(block, images).observation)
            if found is None:
                break
            features.append(found)
            progress.update(int(block[-1]) + 1)
    if features:
        stream.gatherer.cache(torch.cat(features))
    plan.policy.train()


def _frame_source(
    plan: TrainPlan, table: EpisodeTable, reader: FrameReader, storage: torch.device | None
) -> FrameSource:
    workers = plan.config.data_workers
    if workers is None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        workers = min(MAX_WORKERS, max(1, cores // plan.ranks.local_count))
    if storage is None:
        # The embodiments stream at the same time and share the workers.
        return StreamingFrames(reader, plan.device, max(1, workers // len(plan.data)) if workers else 0)
    quiet = plan.config.quiet or not plan.ranks.first or not reader.cameras
    with Progress("decoding", len(table), quiet=quiet, unit="row") as progress:
        return ResidentFrames(
            reader,
            len(table),
            table.spec.image_size,
            device=plan.device,
            storage=storage,
            workers=workers,
            progress=progress.update,
        )
