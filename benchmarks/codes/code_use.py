"""How some episodes use a codebook."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from ambidex.benchmarks.code_runs import CodeRuns
from ambidex.envs.types import NO_CODE, FloatArray
from ambidex.policies.uniact.code_usage import dead_codes, perplexity, usage


@dataclass(frozen=True, kw_only=True)
class CodeUse:
    """How some episodes use a codebook. A code counts as often as actions were made from it.

    Attributes:
        episodes: How many.
        steps: Actions that were made from a code.
        shares: The share of each code in them, shape (N,).
    """

    episodes: int
    steps: int
    shares: FloatArray

    @classmethod
    def of(cls, episodes: Iterable[CodeRuns], size: int) -> Self:
        """The use of `size` codes in episodes.

        Raises:
            ValueError: A code is none of the codebook's.
        """
        every = list(episodes)
        runs = [(code, steps) for episode in every for code, steps in episode if code != NO_CODE]
        codes = np.repeat([code for code, _ in runs], [steps for _, steps in runs]).astype(np.int64)
        return cls(episodes=len(every), steps=len(codes), shares=usage(codes, size))

    @cached_property
    def perplexity(self) -> float:
        """How many codes are in use, as it were; see `ambidex.policies.uniact.code_usage`."""
        return perplexity(self.shares)

    @cached_property
    def dead(self) -> tuple[int, ...]:
        """The codes that are never used."""
        return dead_codes(self.shares)

    @property
    def used(self) -> int:
        """How many codes are used at all."""
        return len(self.shares) - len(self.dead)

    def most_used(self, most: int) -> dict[int, float]:
        """The shares of the most used codes by code, largest first; of equal ones the smaller number first."""
        order = np.argsort(-self.shares, kind="stable")[: min(most, self.used)]
        return {int(code): float(self.shares[code]) for code in order}
