"""Puts together what a training needs."""

import os
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from ambidex.errors import NoImagesError
from ambidex.policies.checkpoint import policy_type
from ambidex.policies.policy import Policy
from ambidex.policies.training.robot_data import RobotData
from ambidex.policies.training.robot_stream import RobotStream
from ambidex.policies.training.train_checks import check_inputs, check_named_cameras, refuse_without_images
from ambidex.policies.training.train_config import TrainConfig
from ambidex.policies.training.train_plan import TrainPlan
from ambidex.policies.training_data.episode_table import EpisodeTable
from ambidex.policies.training_data.frame_home import FrameHome, choose_home
from ambidex.policies.training_data.frame_reading import FrameReader, frames_size
from ambidex.policies.training_data.frame_source import FrameSource
from ambidex.policies.training_data.resident_data import ResidentFrames
from ambidex.policies.training_data.sample_gatherer import SampleGatherer
from ambidex.policies.training_data.streaming_data import StreamingFrames
from ambidex.progress import Progress

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
            policy = policy_type(config.policy)(config.model, robots[0].table.spec, robots[0].statistics)
            for robot in robots[1:]:
                policy.add_robot(robot.table.spec, robot.statistics)
        except NoImagesError as error:
            refuse_without_images([robot.table for robot in robots], config, str(error))
            raise
    for robot in robots:
        check_inputs(policy.inputs_of(robot.robot), robot.table, config)
    check_named_cameras([robot.table for robot in robots], config)
    policy.spec = replace(policy.spec, cameras=policy.inputs.cameras)
    return policy


def find_home(plan: TrainPlan, robots: Sequence[RobotData]) -> FrameHome:
    """Which data path to take, for the frames of all robots.

    Raises:
        UsageError: What is asked for cannot be.
    """
    size = sum(
        frames_size(len(robot.table), plan.policy.inputs_of(robot.robot).cameras, robot.table.spec.image_size)
        for robot in robots
    )
    return choose_home(size, plan.device, plan.config.data_path, plan.ranks.local_count)


def make_stream(plan: TrainPlan, robot: RobotData, home: FrameHome) -> RobotStream:
    """A robot's samples; decodes all pixels where they are to be resident.

    Raises:
        DatasetError: A frame is damaged.
    """
    reader = FrameReader(robot.table, plan.policy.inputs_of(robot.robot).cameras)
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
