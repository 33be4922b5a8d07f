"""Which episodes are trained on, and in which order: the split, the sampler, and the mixture of embodiments."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from ambidex.errors import UsageError
from ambidex.policies.data.episode_table import RowArray

MIXTURE_STREAM = 1  # separates these draws from the orders of samples


def split(episodes: int, fraction: float, seed: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Training and validation episodes, each in ascending order; a pure function of its arguments.

    Args:
        episodes: Number of episodes, or of groups of episodes that belong together.
        fraction: Share to hold out, in [0, 1). Of two episodes or more at least one is held out and one is left.
        seed: Decides which are held out.

    Raises:
        UsageError: The fraction is out of range.
    """
    if not 0.0 <= fraction < 1.0:
        raise UsageError(f"--validation-fraction {fraction}: expected a number from 0 to below 1.", got=fraction)
    held_out = 0
    if fraction > 0.0 and episodes > 1:
        held_out = min(max(1, round(fraction * episodes)), episodes - 1)
    order = np.random.default_rng([seed, episodes]).permutation(episodes).tolist()
    return tuple(sorted(order[held_out:])), tuple(sorted(order[:held_out]))


class Sampler:
    """Draws every row once per epoch, in another order each time; batches may span two epochs.

    The rows of a step are a pure function of (rows, batch_size * ranks, seed, step): nothing has to be stored to
    resume, and several processes together see what one sees with the same total batch size. `batch_size` counts the
    rows of one process, the one with this rank.
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


class Mixture:
    """Assigns each training step to one embodiment, at random by weight, which is more than 0.

    The embodiment of a step is a pure function of (weights, seed, step), so it is the same in all processes and after
    an interruption.

    Attributes:
        embodiments: Index of each step's embodiment, shape (steps,).
    """

    def __init__(self, weights: Sequence[float], seed: int, steps: int) -> None:
        bounds = np.cumsum(weights)[:-1] / np.sum(weights)
        draws = np.random.default_rng([seed, MIXTURE_STREAM, len(weights)]).random(steps)
        self.embodiments: RowArray = np.searchsorted(bounds, draws, side="right")

    def count(self, embodiment: int, before: int | None = None) -> int:
        """Number of an embodiment's steps, of all steps or of those before a step."""
        return int(np.count_nonzero(self.embodiments[:before] == embodiment))
