"""The samples of one robot."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ambidex.policies.batch import TrainingBatch
from ambidex.policies.policy import Policy
from ambidex.policies.training.robot_data import RobotData
from ambidex.policies.training.train_plan import TrainPlan
from ambidex.policies.training_data.augmentation import Augmentation
from ambidex.policies.training_data.episode_table import RowArray
from ambidex.policies.training_data.frame_source import FrameSource
from ambidex.policies.training_data.mixture import Mixture
from ambidex.policies.training_data.sample_gatherer import SampleGatherer
from ambidex.policies.training_data.sampler import Sampler

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
