"""The order in which samples are trained on."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from ambidex.policies.training_data.episode_table import RowArray


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
