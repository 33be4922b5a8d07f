"""Which robot's data each training step is about."""

from collections.abc import Sequence

import numpy as np

from ambidex.policies.training_data.episode_table import RowArray

STREAM = 1  # keeps these draws apart from the orders of samples


class Mixture:
    """Draws a robot for each step, the same in all processes and after an interruption.

    The robot of a step is a pure function of (weights, seed, step).

    Args:
        weights: How often each robot has its turn, in proportion, shape (R,); more than 0.
        seed: Decides the draws.
        steps: Training steps.
    """

    def __init__(self, weights: Sequence[float], seed: int, steps: int) -> None:
        bounds = np.cumsum(weights)[:-1] / np.sum(weights)
        draws = np.random.default_rng([seed, STREAM, len(weights)]).random(steps)
        self.robots: RowArray = np.searchsorted(bounds, draws, side="right")

    def turns(self, robot: int, before: int | None = None) -> int:
        """How many steps before this one are about a robot; of all steps without it."""
        return int(np.count_nonzero(self.robots[:before] == robot))
