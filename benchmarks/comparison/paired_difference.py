"""Where the true difference of two paired success rates lies."""

import math

from scipy.optimize import brentq

from ambidex.benchmarks.comparison.paired_counts import PairedCounts
from ambidex.intervals import Z_95


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
