"""How two policies fared on the same starts: the paired 2x2 table."""

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
    """Episodes that both policies played from the same start, by who succeeded.

    Attributes:
        both: Both succeeded.
        only_a: The first succeeded, the second did not.
        only_b: The second succeeded, the first did not.
        neither: Neither succeeded.
    """

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
        """Pairs in which one succeeded and the other did not: all that a paired test looks at."""
        return self.only_a + self.only_b

    @property
    def successes_a(self) -> int:
        return self.both + self.only_a

    @property
    def successes_b(self) -> int:
        return self.both + self.only_b

    @property
    def difference(self) -> float:
        """Success rate of the first less that of the second, -1 to 1."""
        return (self.only_a - self.only_b) / self.pairs


# FOLDED benchmarks.comparison.mcnemar: McNemar's test: is one policy more often the only one to succeed?
#
# Under the null hypothesis each pair in which exactly one of the two succeeded is a fair coin; pairs in which both or
# neither did say nothing. Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
# percentages", Psychometrika 12 (1947); exact by the binomial distribution, so right for any number of episodes.


def exact_p(only_a: int, only_b: int) -> float:
    """Two-sided exact p-value. Without a discordant pair it is 1.

    Args:
        only_a: Pairs in which the first alone succeeded.
        only_b: Pairs in which the second alone succeeded.
    """
    discordant = only_a + only_b
    return float(binomtest(only_a, discordant, 0.5).pvalue) if discordant else 1.0


def mid_p(only_a: int, only_b: int) -> float:
    """Two-sided mid-p value: less cautious than the exact one, with a level that is kept in practice, not by proof.

    M. W. Fagerland, S. Lydersen, P. Laake, "The McNemar test for binary matched-pairs data: mid-p and asymptotic are
    better than exact conditional", BMC Medical Research Methodology 13:91 (2013).
    """
    share = float(binom.pmf(only_a, only_a + only_b, 0.5))
    return exact_p(only_a, only_b) - (share / 2 if only_a == only_b else share)


# FOLDED benchmarks.comparison.holm: Holm's correction: p-values of several tests, of which hardly any may be wrong.


def holm(p_values: Sequence[float]) -> list[float]:
    """Corrected p-values, in the order given.

    If those up to 0.05 are called significant, the chance of even one false call is at most 5 %, however the tests
    depend on each other.

    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979).

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


# FOLDED benchmarks.comparison.paired_difference: Where the true difference of two paired success rates lies.


def difference_interval(counts: PairedCounts, *, z: float = Z_95) -> tuple[float, float]:
    """Tango's score interval of the difference of paired rates, with 95 % confidence unless `z` says otherwise.

    T. Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample
    design", Statistics in Medicine 17 (1998): the differences that a score test does not reject. Unlike the textbook
    interval it stays within -1..1 and does not collapse when the two never differ.

    Returns:
        Lowest and highest difference, first less second. Without pairs (-1, 1): nothing is known.
    """
    if counts.pairs == 0:
        return -1.0, 1.0
    here = counts.difference
    low = -1.0 if here == -1.0 else float(brentq(lambda d: _score(counts, d) - z, -1.0, here))
    high = 1.0 if here == 1.0 else float(brentq(lambda d: _score(counts, d) + z, here, 1.0))
    return low, high


def _score(counts: PairedCounts, difference: float) -> float:
    """Standard deviations between what was seen and what a true `difference` would give; falls with it."""
    pairs = counts.pairs
    variance = pairs * (2 * _only_b_rate(counts, difference) + difference * (1 - difference))
    surplus = counts.only_a - counts.only_b - pairs * difference
    if surplus == 0:
        return 0.0
    return surplus / math.sqrt(variance) if variance > 0 else math.copysign(1e9, surplus)


def _only_b_rate(counts: PairedCounts, difference: float) -> float:
    """Most likely rate of pairs that the second alone solves, if the rates differ by `difference`."""
    pairs, a, b = counts.pairs, counts.only_a, counts.only_b
    linear = -a - b + (2 * pairs - a + b) * difference
    root = math.sqrt(max(0.0, linear**2 + 8 * pairs * b * difference * (1 - difference)))
    return max(0.0, -difference, (root - linear) / (4 * pairs))
