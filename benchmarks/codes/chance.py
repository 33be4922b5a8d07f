"""Permutation test: are two usages of a codebook more alike than by chance?"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Self

import numpy as np
from scipy.special import rel_entr

from ambidex.envs.types import FloatArray

DRAWS = 10_000
SEED = 0
BLOCK = 1_000  # draws at a time, which limits the memory
TOLERANCE = 1e-9  # divergences that differ by less count as equal [bit]


@dataclass(frozen=True, kw_only=True)
class ChanceDivergence:
    """The Jensen-Shannon divergence of two usages of a codebook, and its distribution by chance: a permutation test.

    Null hypothesis: the meaning of a code in one usage is unrelated to its meaning in the other. Then the codes of one
    may be renamed at random, which keeps how unevenly it uses them. New names are drawn from the codes that either of
    the two uses, so using the same part of a larger codebook does not count as being alike. P-values of several pairs
    are not corrected for multiple testing.

    The +1 of the p-value: B. Phipson and G. K. Smyth, "Permutation p-values should never be zero", Statistical
    Applications in Genetics and Molecular Biology 9 (2010).

    Attributes:
        divergence: What was observed [bit].
        mean: Of the renamings [bit].
        low: 2.5 % of the renamings are below [bit].
        high: 2.5 % of the renamings are above [bit].
        p: One-sided: the share of renamings that make the two at least as alike, the original names included.
        draws: Number of renamings.
    """

    divergence: float
    mean: float
    low: float
    high: float
    p: float
    draws: int

    @classmethod
    def of(cls, one: FloatArray, other: FloatArray, *, draws: int = DRAWS, seed: int = SEED) -> Self:
        """Test two usages of the same codebook: the share of each code in `one` and in `other`, shape (N,)."""
        used = (one > 0) | (other > 0)
        divergence = float(_divergence(one[used], other[used]))
        renamed = _renamed(one[used], other[used], draws, np.random.default_rng(seed))
        low, high = np.quantile(renamed, (0.025, 0.975))
        alike = int((renamed <= divergence + TOLERANCE).sum())
        return cls(
            divergence=divergence,
            mean=float(renamed.mean()),
            low=float(low),
            high=float(high),
            p=(alike + 1) / (draws + 1),
            draws=draws,
        )


def chances(groups: Sequence[FloatArray]) -> dict[tuple[int, int], ChanceDivergence]:
    """The test of each pair of groups, by their indices; each group holds the shares of codes, shape (N,)."""
    pairs = combinations(range(len(groups)), 2)
    return {(one, other): ChanceDivergence.of(groups[one], groups[other]) for one, other in pairs}


def _renamed(one: FloatArray, other: FloatArray, draws: int, rng: np.random.Generator) -> FloatArray:
    """Divergences after random renamings, shape (draws,)."""
    sizes = (min(BLOCK, draws - first) for first in range(0, draws, BLOCK))
    return np.concatenate([_divergence(one, rng.permuted(np.tile(other, (size, 1)), axis=1)) for size in sizes])


def _divergence(one: FloatArray, other: FloatArray) -> FloatArray:
    """Jensen-Shannon divergence over the last axis [bit]."""
    middle = (one + other) / 2
    bits: FloatArray = (rel_entr(one, middle) + rel_entr(other, middle)).sum(-1) / (2 * np.log(2))
    return bits
