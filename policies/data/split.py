"""Which episodes are trained on and which are held out."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from ambidex.errors import UsageError
from ambidex.policies.data.episode_table import RowArray


def split(episodes: int, fraction: float, seed: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Training and validation episodes, each in ascending order; a pure function of its arguments.

    Args:
        episodes: How many there are.
        fraction: Share to hold out, in [0, 1). Of two episodes and more at least one is held out and one left.
        seed: Decides which.

    Raises:
        UsageError: The fraction is out of range.
    """
    if not 0.0 <= fraction < 1.0:
        raise UsageError(f"--validation-fraction {fraction}: expected a number from 0 to below 1.")
    held_out = 0
    if fraction > 0.0 and episodes > 1:
        held_out = min(max(1, round(fraction * episodes)), episodes - 1)
    order = np.random.default_rng([seed, episodes]).permutation(episodes).tolist()
    return tuple(sorted(order[held_out:])), tuple(sorted(order[:held_out]))


# FOLDED policies.training_data.sampler: The order in which samples are trained on.


class Sampler:
    """Every row once per epoch, each epoch in an order of its own, batches running on from one epoch into the next.

    The rows of a step are a pure function of (rows, batch_size * ranks, seed, step): nothing has to be stored to
    resume, and several processes see together what one sees with a batch as large as theirs together.

    Args:
        rows: The rows to sample.
        batch_size: Rows per step and process.
        seed: Decides the orders.
        rank: Which process this is.
        ranks: How many processes there are.
    """

    def __init__(self, rows: RowArray, batch_size: int, seed: int, rank: int = 0, ranks: int = 1) -> None:
        self._rows, self._batch_size, self._seed, self._rank, self._ranks = rows, batch_size, seed, rank, ranks
        self._order = lru_cache(maxsize=2)(self._shuffled)

    def rows(self, step: int) -> RowArray:
        """The rows of this process in a step, shape (B,)."""
        first = (step * self._ranks + self._rank) * self._batch_size
        epochs, places = np.divmod(np.arange(first, first + self._batch_size), len(self._rows))
        chosen: RowArray = np.empty(self._batch_size, np.int64)
        for epoch in np.unique(epochs):
            chosen[epochs == epoch] = self._order(int(epoch))[places[epochs == epoch]]
        return chosen

    def steps(self, first: int, end: int) -> Iterator[RowArray]:
        """The rows of each step from `first` to before `end`."""
        return (self.rows(step) for step in range(first, end))

    def _shuffled(self, epoch: int) -> RowArray:
        return np.random.default_rng([self._seed, epoch]).permutation(self._rows)


# FOLDED policies.training_data.mixture: Which robot's data each training step is about.

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
