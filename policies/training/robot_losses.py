"""Losses of each robot, where several train together."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ambidex.policies.training.loss_watch import LossWatch
from ambidex.policies.training.ranks import Ranks, mean_over_ranks

LOSS = "loss/"


class RobotLosses:
    """Averages the terms of the loss over each robot's own steps; does nothing for a single robot.

    Args:
        robots: Their names.
        device: Where the losses are.
        ranks: Every process sees the same robot in the same step.
    """

    def __init__(self, robots: Sequence[str], device: torch.device, ranks: Ranks) -> None:
        self._ranks = ranks
        self._watches = {robot: LossWatch(device) for robot in robots} if len(robots) > 1 else {}

    def add(self, step: int, robot: str, terms: Mapping[str, Tensor]) -> None:
        """Take in the terms of one step of a robot; only those called loss/NAME are kept."""
        if self._watches:
            own = {name: term for name, term in terms.items() if name.startswith(LOSS)}
            self._watches[robot].add(step, own)

    def take_means(self) -> dict[str, float]:
        """loss/ROBOT/NAME -> the mean since the last call; a robot that had no step is left out."""
        found: dict[str, float] = {}
        for robot, watch in self._watches.items():
            if watch.count:
                names, means = watch.take_means()
                own = (f"{LOSS}{robot}/{name.removeprefix(LOSS)}" for name in names)
                found |= zip(own, mean_over_ranks(means, self._ranks).tolist(), strict=True)
        return found
