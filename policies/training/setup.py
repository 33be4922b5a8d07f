"""Puts together what a training needs."""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ambidex.errors import NoImagesError, UsageError
from ambidex.policies.batch import TrainingBatch
from ambidex.policies.checkpoint import policy_class
from ambidex.policies.data.batches import Augmentation, SampleGatherer
from ambidex.policies.data.episode_table import EpisodeTable, RowArray
from ambidex.policies.data.frames import FrameReader, FrameSource, frames_size
from ambidex.policies.data.split import Mixture, Sampler
from ambidex.policies.data.storage import FrameHome, ResidentFrames, StreamingFrames, choose_home
from ambidex.policies.policy import Policy
from ambidex.policies.training.checks import check_inputs, check_named_cameras, refuse_without_images
from ambidex.policies.training.config import TrainConfig
from ambidex.policies.training.plan import TrainPlan
from ambidex.policies.training.robots import RobotData
from ambidex.progress import Progress
from ambidex.text import first_few

# FOLDED policies.training.robot_stream: The samples of one robot.

BLOCK = 64  # rows that are read out at once


@dataclass(frozen=True, kw_only=True, eq=False)
class RobotStream:
    """Makes batches of a robot's data.

    Attributes:
        data: What there is.
        frames: Its pixels.
        gatherer: Everything else.
    """

    data: RobotData
    frames: FrameSource
    gatherer: SampleGatherer

    def samples(self, rows: RowArray) -> TrainingBatch:
        """Those of some rows (B,), as they are."""
        return self.gatherer.batch(rows, self.frames.images(rows))

    def keep_readouts(self, policy: Policy, said: Callable[[int], None]) -> None:
        """Compute what may be computed once for each observation, if there is anything of the kind.

        Frames that are streamed are read by the workers.

        Args:
            policy: In evaluation mode.
            said: Called with the number of rows that are done.
        """
        found: list[Tensor] = []
        blocks = list(_blocks(len(self.data.table)))
        for rows, images in zip(blocks, self.frames.batches(blocks), strict=True):
            readout = policy.readout(self.gatherer.batch(rows, images).observation)
            if readout is None:
                return
            found.append(readout)
            said(int(rows[-1]) + 1)
        self.gatherer.keep(torch.cat(found))

    def batches(self, plan: TrainPlan, first: int, end: int) -> Iterator[TrainingBatch]:
        """Those of this process from the robot's turn `first` to before `end`, drawn and changed as the seed says."""
        config, ranks = plan.config, plan.ranks
        rows = self.data.table.rows(self.data.training)
        sampler = Sampler(rows, config.batch_size, config.seed, ranks.rank, ranks.count)
        augment = Augmentation(random_shift=config.random_shift, colour_jitter=config.colour_jitter)
        sources = self.frames.batches(sampler.steps(first, end))
        for order, images in zip(sampler.steps(first, end), sources, strict=True):
            yield self.gatherer.batch(order, augment(images))


def _blocks(rows: int) -> Iterator[RowArray]:
    return (np.arange(first, min(first + BLOCK, rows)) for first in range(0, rows, BLOCK))


def training_batches(plan: TrainPlan, streams: Sequence[RobotStream], first_step: int) -> Iterator[TrainingBatch]:
    """The batches of this process from a step on, each of one robot, which is the same in all processes."""
    config = plan.config
    mixture = Mixture([stream.data.weight for stream in streams], config.seed, config.steps)
    sources = [
        stream.batches(plan, mixture.turns(robot, first_step), mixture.turns(robot))
        for robot, stream in enumerate(streams)
    ]
    return (next(sources[robot]) for robot in mixture.robots[first_step:])


MOST_WORKERS = 16


def make_policy(config: TrainConfig[Any], robots: Sequence[RobotData]) -> Policy:
    """A fresh policy; its first weights are a pure function of the seed. Its spec has the cameras it looks at.

    Raises:
        UsageError: The data lacks something that it looks at.
    """
    torch.manual_seed(config.seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Initializing zero-element tensors")  # no objects; refused below if needed
        try:
            policy = policy_class(config.policy)(config.model, robots[0].table.spec, robots[0].statistics)
            for robot in robots[1:]:
                policy.add_embodiment(robot.table.spec, robot.statistics)
        except NoImagesError as error:
            refuse_without_images([robot.table for robot in robots], config, str(error))
            raise
    for robot in robots:
        check_inputs(policy.inputs_for(robot.robot), robot.table, config)
    check_named_cameras([robot.table for robot in robots], config)
    policy.spec = replace(policy.spec, cameras=policy.inputs.cameras)
    return policy


def find_home(plan: TrainPlan, robots: Sequence[RobotData]) -> FrameHome:
    """Which data path to take, for the frames of all robots.

    Raises:
        UsageError: What is asked for cannot be.
    """
    size = sum(
        frames_size(len(robot.table), plan.policy.inputs_for(robot.robot).cameras, robot.table.spec.image_size)
        for robot in robots
    )
    return choose_home(size, plan.device, plan.config.data_path, plan.ranks.local_count)


def make_stream(plan: TrainPlan, robot: RobotData, home: FrameHome) -> RobotStream:
    """A robot's samples; decodes all pixels where they are to be resident.

    Raises:
        DatasetError: A frame is damaged.
    """
    reader = FrameReader(robot.table, plan.policy.inputs_for(robot.robot).cameras)
    gatherer = SampleGatherer(robot.table, plan.policy.chunk_size, plan.device)
    stream = RobotStream(data=robot, frames=_frames(plan, robot.table, reader, home), gatherer=gatherer)
    varied = plan.config.random_shift or plan.config.colour_jitter  # then the same row is never the same twice
    if plan.config.adapt and not varied:
        _keep_readouts(plan, stream)
    return stream


@torch.no_grad()
def _keep_readouts(plan: TrainPlan, stream: RobotStream) -> None:
    plan.policy.eval()
    quiet = plan.config.quiet or not plan.ranks.first
    with Progress("reading out", len(stream.data.table), quiet=quiet, unit="row") as progress:
        stream.keep_readouts(plan.policy, progress.update)
    plan.policy.train()


def _frames(plan: TrainPlan, table: EpisodeTable, reader: FrameReader, home: FrameHome) -> FrameSource:
    """The source of pixels.

    Raises:
        DatasetError: A frame is damaged.
    """
    workers = plan.config.data_workers
    if workers is None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        workers = min(MOST_WORKERS, max(1, cores // plan.ranks.local_count))
    if home.device is None and workers:  # robots stream side by side
        workers = max(1, workers // len(plan.robots))
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


# FOLDED policies.training.task_table: Which tasks a policy is to tell apart.

FIELD = "instructions"


def with_tasks(config: TrainConfig[Any], tables: Sequence[EpisodeTable]) -> TrainConfig[Any]:
    """The config with the instructions of the data in it, if there are several and the policy can tell them apart.

    Raises:
        UsageError: Instructions are given, and the data have others.
    """
    if FIELD not in {field.name for field in fields(config.model)}:
        return config
    found = tuple(dict.fromkeys(entry.instruction for table in tables for entry in table.entries))
    given: tuple[str, ...] = getattr(config.model, FIELD)
    unknown = [instruction for instruction in found if instruction not in given]
    if given and unknown:
        raise UsageError(
            f"--instructions names {len(given)} tasks, and the data have others: {first_few(unknown)}. Leave the flag "
            "out, and those of the data are taken."
        )
    if given or len(found) < 2:
        return config
    return replace(config, model=replace(config.model, **{FIELD: found}))
