"""What a gambler has won who bets that one policy is better: the e-process of paired outcomes.

Pair by pair, in an order fixed before, X is 1 if the first policy alone succeeded, -1 if the second alone did, 0
otherwise. Against the claim that the mean of X is m, a gambler who stakes the share k of his wealth holds
prod (1 + k X) / (1 + k m). He does not know the best k, so he spreads his money evenly over all k from -1 to 1 (for
m = 0 this tests a fair coin against a coin of unknown bias, all biases alike, and his wealth after a and b is
2^(a + b) / ((a + b + 1) C(a + b, a))).

If the claim is true his wealth hardly ever grows: with probability 1 - alpha it never, at no time, reaches 1/alpha
(J. Ville, "Etude critique de la notion de collectif", 1939). This holds too where the mean differs from pair to pair
(several tasks) and m is its average so far, because log(1 + k m) is concave in m. docs/statistics.md has the proof.
"""

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import logsumexp, roots_legendre

from ambidex.benchmarks.comparison.paired_counts import PairedCounts
from ambidex.envs.types import FloatArray

BETS = 1024  # as good as all k: for m = 0 exact below twice as many discordant pairs; valid, as bets, for any number

_STAKES, _SHARES = roots_legendre(BETS)


def log_wealth(only_a: FloatArray, only_b: FloatArray, pairs: FloatArray, mean: FloatArray) -> FloatArray:
    """Logarithm of the wealth against the claim that the mean difference is `mean`.

    Args:
        only_a: Pairs so far that the first alone solved, any shape.
        only_b: Pairs so far that the second alone solved, that shape.
        pairs: Pairs so far, that shape.
        mean: Mean difference claimed, -1 to 1, that shape.

    Returns:
        That shape.
    """
    a, b, n, m = (np.asarray(values, dtype=float)[..., None] for values in (only_a, only_b, pairs, mean))
    won = a * np.log1p(_STAKES) + b * np.log1p(-_STAKES) - n * np.log1p(_STAKES * m)
    return np.asarray(logsumexp(won, axis=-1, b=_SHARES / 2))


def mean_interval(counts: PairedCounts, *, alpha: float) -> tuple[float, float]:
    """The mean differences against which not enough was won: right at all times at once with probability 1 - alpha.

    The wealth is convex in the mean and at most 1 at the observed difference, so this is one interval around it.

    Returns:
        Lowest and highest difference, first less second. Without pairs (-1, 1).
    """
    if counts.pairs == 0:
        return -1.0, 1.0
    here = counts.difference
    return _end(counts, here, -1.0, alpha), _end(counts, here, 1.0, alpha)


def _end(counts: PairedCounts, inside: float, end: float, alpha: float) -> float:
    def surplus(mean: float) -> float:
        a, b, n, m = (np.asarray(value) for value in (counts.only_a, counts.only_b, counts.pairs, mean))
        return float(log_wealth(a, b, n, m)) + math.log(alpha)

    return end if surplus(end) <= 0 else float(brentq(surplus, inside, end))
