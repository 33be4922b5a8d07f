"""Adds up losses on the device, so that no step has to wait for a number, and notices the first that is not finite."""

from collections.abc import Mapping

import torch
from torch import Tensor


class LossWatch:
    """Sums of the losses since the last reading.

    Args:
        device: Where the losses are.

    Attributes:
        count: Steps since the last reading.
    """

    def __init__(self, device: torch.device) -> None:
        self._names: tuple[str, ...] = ()
        self._sums = torch.zeros(0, device=device)
        self.count = 0
        self._first_bad = torch.tensor(-1, device=device)

    def add(self, step: int, terms: Mapping[str, Tensor]) -> None:
        """Take in the terms of one step; the names must be the same in all steps."""
        values = torch.stack([term.detach() for term in terms.values()])
        if not self._names:
            self._names, self._sums = tuple(terms), torch.zeros_like(values)
        self._sums += values
        self.count += 1
        worse = (self._first_bad < 0) & ~values.isfinite().all()
        self._first_bad = torch.where(worse, step, self._first_bad)

    def first_bad_step(self) -> int | None:
        """The first step in which a term was not finite; waits for the device."""
        step = int(self._first_bad)
        return None if step < 0 else step

    def take_means(self) -> tuple[tuple[str, ...], Tensor]:
        """Names, and the means since the last call, shape (terms,)."""
        means = self._sums / max(1, self.count)
        self._sums, self.count = torch.zeros_like(self._sums), 0
        return self._names, means
