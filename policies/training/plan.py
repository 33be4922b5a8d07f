"""A training run, resolved: what `train` has decided before the first step."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ambidex.policies.policy import Policy
from ambidex.policies.training.config import TrainConfig
from ambidex.policies.training.distributed import Ranks
from ambidex.policies.training.robots import RobotData


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainPlan:
    """Everything the trainer needs beside the data.

    Attributes:
        config: The flags, resolved: nothing is auto.
        run: The run's folder.
        policy: On the device.
        robots: The data, of each robot.
        device: Where to compute.
        ranks: Which process this is.
    """

    config: TrainConfig[Any]
    run: Path
    policy: Policy
    robots: tuple[RobotData, ...]
    device: torch.device
    ranks: Ranks = field(default_factory=Ranks)
