"""A test that may be looked at after every episode."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.optimize import brentq
from scipy.special import betaln, logsumexp, roots_legendre

from ambidex.benchmarks.statistics.paired import PairedCounts
from ambidex.envs.types import FloatArray


@dataclass(frozen=True, kw_only=True)
class SequentialTest:
    """Safe anytime-valid inference (SAVI) on paired outcomes: evidence that stays right whenever one stops or goes on.

    A. Ramdas, P. Grünwald, V. Vovk, G. Shafer, "Game-theoretic statistics and safe anytime-valid inference",
    Statistical Science 38 (2023). `betting` says how the evidence is made.

    Attributes:
        e_value: Evidence against "no difference" after the last pair: what 1 has become. 20 is like p = 0.05.
        largest_e_value: The largest after any pair; at least 1.
        largest_after: After how many pairs that was; 0 if it never exceeded 1.
        p_value: Anytime-valid p-value, 1 / `largest_e_value`.
        low: Lower end of the anytime-valid interval of the difference, first less second.
        high: Upper end.
    """

    e_value: float
    largest_e_value: float
    largest_after: int
    p_value: float
    low: float
    high: float

    @classmethod
    def of(cls, successes: Sequence[tuple[bool, bool]], *, alpha: float) -> Self:
        """Test pairs (the first succeeded, the second succeeded), in an order that does not depend on outcomes.

        Args:
            successes: The pairs; there may be none.
            alpha: One less the confidence of the interval.
        """
        logs = log_e_values(successes)
        low, high = mean_interval(PairedCounts.of(successes), alpha=alpha)
        largest_after = int(np.argmax(logs))
        return cls(
            e_value=_exp(logs[-1]),
            largest_e_value=_exp(logs[largest_after]),
            largest_after=largest_after,
            p_value=math.exp(-logs[largest_after]),
            low=low,
            high=high,
        )


def log_e_values(successes: Sequence[tuple[bool, bool]]) -> FloatArray:
    """Logarithm of the evidence before the first pair, where it is 0, and after each.

    Against "no difference" the wealth of `betting` has a closed form: 2^d / ((d + 1) C(d, a)) after d discordant pairs
    of which the first policy won a.

    Returns:
        Shape (pairs + 1,).
    """
    outcomes = np.array(successes, dtype=bool).reshape(-1, 2)
    only_a = np.cumsum(outcomes[:, 0] & ~outcomes[:, 1])
    only_b = np.cumsum(outcomes[:, 1] & ~outcomes[:, 0])
    logs = (only_a + only_b) * math.log(2) + betaln(only_a + 1, only_b + 1)
    return np.concatenate([[0.0], np.round(logs, 10)])  # after one discordant pair exactly 0, not 1e-16


def _exp(logarithm: float) -> float:
    return math.exp(min(logarithm, 700.0))  # the largest number a float holds is exp(709)


# FOLDED benchmarks.comparison.betting: What a gambler has won who bets that one policy is better: the e-process of paired outcomes.
#
# Pair by pair, in an order fixed before, X is 1 if the first policy alone succeeded, -1 if the second alone did, 0
# otherwise. Against the claim that the mean of X is m, a gambler who stakes the share k of his wealth holds
# prod (1 + k X) / (1 + k m). He does not know the best k, so he spreads his money evenly over all k from -1 to 1 (for
# m = 0 this tests a fair coin against a coin of unknown bias, all biases alike, and his wealth after a and b is
# 2^(a + b) / ((a + b + 1) C(a + b, a))).
#
# If the claim is true his wealth hardly ever grows: with probability 1 - alpha it never, at no time, reaches 1/alpha
# (J. Ville, "Etude critique de la notion de collectif", 1939). This holds too where the mean differs from pair to pair
# (several tasks) and m is its average so far, because log(1 + k m) is concave in m. docs/statistics.md has the proof.

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
