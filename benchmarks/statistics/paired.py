"""Paired success rates: the 2x2 table, McNemar's test, the interval of the difference, and Holm's correction."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binom, binomtest

from ambidex.intervals import Z_95


@dataclass(frozen=True, kw_only=True)
class PairedCounts:
    """The 2x2 table of episodes that two policies, a and b, ran from the same initial states."""

    both: int
    only_a: int
    only_b: int
    neither: int

    @classmethod
    def of(cls, successes: Sequence[tuple[bool, bool]]) -> Self:
        """Count pairs (the first succeeded, the second succeeded)."""
        return cls(
            both=successes.count((True, True)),
            only_a=successes.count((True, False)),
            only_b=successes.count((False, True)),
            neither=successes.count((False, False)),
        )

    @property
    def pairs(self) -> int:
        return self.both + self.only_a + self.only_b + self.neither

    @property
    def discordant(self) -> int:
        """Pairs in which exactly one succeeded: the only ones that a paired test uses."""
        return self.only_a + self.only_b

    @property
    def successes_a(self) -> int:
        return self.both + self.only_a

    @property
    def successes_b(self) -> int:
        return self.both + self.only_b

    @property
    def difference(self) -> float:
        """Success rate of the first minus that of the second, -1 to 1."""
        return (self.only_a - self.only_b) / self.pairs


def exact_p(only_a: int, only_b: int) -> float:
    """Two-sided p-value of McNemar's exact test; 1 without discordant pairs.

    Under the null hypothesis each discordant pair is a fair coin toss; the other pairs carry no information. Exact for
    any number of episodes, by the binomial distribution. Q. McNemar, "Note on the sampling error of the difference
    between correlated proportions or percentages", Psychometrika 12 (1947).
    """
    discordant = only_a + only_b
    return float(binomtest(only_a, discordant, 0.5).pvalue) if discordant else 1.0


def mid_p(only_a: int, only_b: int) -> float:
    """Two-sided mid-p value: less conservative than `exact_p`; it keeps its level in practice, but not by proof.

    M. W. Fagerland, S. Lydersen, P. Laake, "The McNemar test for binary matched-pairs data: mid-p and asymptotic are
    better than exact conditional", BMC Medical Research Methodology 13:91 (2013).
    """
    share = float(binom.pmf(only_a, only_a + only_b, 0.5))
    return exact_p(only_a, only_b) - (share / 2 if only_a == only_b else share)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for the number of tests, in the order given.

    If tests with corrected values up to 0.05 are called significant, the probability of one or more false calls is at
    most 5 %, however the tests depend on each other. S. Holm, "A simple sequentially rejective multiple test
    procedure", Scandinavian Journal of Statistics 6 (1979).

    Raises:
        ValueError: A p-value is not within 0..1.
    """
    values = np.asarray(p_values, dtype=float)
    if not np.all((values >= 0) & (values <= 1)):
        raise ValueError(f"p-values {list(p_values)}: expected numbers within 0..1.")
    order = np.argsort(values, kind="stable")
    factors = len(values) - np.arange(len(values))
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(factors * values[order]))
    return [float(value) for value in corrected]


def difference_interval(counts: PairedCounts, *, z: float = Z_95) -> tuple[float, float]:
    """Tango's score interval of the difference of paired rates, first minus second; (-1, 1) without pairs.

    The differences that a score test does not reject; `z` is the normal quantile of the confidence, 95 % by default.
    Unlike the textbook interval it stays within -1..1 and does not collapse when the two policies never disagree.
    T. Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample design",
    Statistics in Medicine 17 (1998).
    """
    if counts.pairs == 0:
        return -1.0, 1.0
    observed = counts.difference
    low = -1.0 if observed == -1.0 else float(brentq(lambda d: _score(counts, d) - z, -1.0, observed))
    high = 1.0 if observed == 1.0 else float(brentq(lambda d: _score(counts, d) + z, observed, 1.0))
    return low, high


def _score(counts: PairedCounts, difference: float) -> float:
    """Standard deviations between the observed and a true `difference`; decreases with it."""
    pairs = counts.pairs
    variance = pairs * (2 * _only_b_rate(counts, difference) + difference * (1 - difference))
    surplus = counts.only_a - counts.only_b - pairs * difference
    if surplus == 0:
        return 0.0
    return surplus / math.sqrt(variance) if variance > 0 else math.copysign(1e9, surplus)


def _only_b_rate(counts: PairedCounts, difference: float) -> float:
    """Most likely rate of pairs in which only the second succeeds, if the rates differ by `difference`."""
    pairs, a, b = counts.pairs, counts.only_a, counts.only_b
    linear = -a - b + (2 * pairs - a + b) * difference
    root = math.sqrt(max(0.0, linear**2 + 8 * pairs * b * difference * (1 - difference)))
    return max(0.0, -difference, (root - linear) / (4 * pairs))
