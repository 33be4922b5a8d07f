"""A sequential test of paired outcomes, which stays valid if you look at it after every episode.

The evidence (e-value) is the wealth of a gambler who bets that the policies differ. Pair by pair, in an order fixed in
advance, X is 1 if only the first policy succeeded, -1 if only the second did, 0 otherwise. Against the claim that the
mean of X is m, a gambler who stakes the share k of his wealth has prod (1 + k X) / (1 + k m). The best k is unknown, so
the money is spread evenly over all k from -1 to 1. For m = 0 this tests a fair coin against a coin of unknown bias, and
the wealth after a wins of the first and b of the second is 2^(a + b) / ((a + b + 1) C(a + b, a)).

If the claim is true, the probability that the wealth ever reaches 1/alpha is at most alpha (J. Ville, "Etude critique
de la notion de collectif", 1939). This also holds if the mean differs from pair to pair (several tasks) and m is its
average so far, because log(1 + k m) is concave in m. docs/statistics.md has the proof.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import betaln, logsumexp, roots_legendre

from ambidex.benchmarks.statistics.paired import PairedCounts
from ambidex.envs.types import FloatArray

BETS = 1024
"""Stakes instead of all k from -1 to 1: another valid bet, and for m = 0 exact below 2048 discordant pairs."""

IntArray = npt.NDArray[np.int_]

_STAKES, _SHARES = roots_legendre(BETS)


@dataclass(frozen=True, kw_only=True)
class SequentialTest:
    """Safe anytime-valid inference (SAVI) on paired outcomes: valid whenever you stop or continue.

    A. Ramdas, P. Grünwald, V. Vovk, G. Shafer, "Game-theoretic statistics and safe anytime-valid inference",
    Statistical Science 38 (2023).

    Attributes:
        e_value: Evidence against equal policies after the last pair, starting at 1; 20 is like p = 0.05.
        largest_e_value: The largest after any pair; at least 1.
        largest_after: After how many pairs it was reached; 0 if it never exceeded 1.
        p_value: Anytime-valid p-value, 1 / `largest_e_value`.
        low: Lower end of the anytime-valid interval of the difference, first minus second.
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

        The pairs may be none; the interval has the confidence 1 - `alpha`.
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
    """Logarithm of the e-value before the first pair, where it is 0, and after each pair, shape (pairs + 1,)."""
    outcomes = np.array(successes, dtype=bool).reshape(-1, 2)
    only_a = np.cumsum(outcomes[:, 0] & ~outcomes[:, 1])
    only_b = np.cumsum(outcomes[:, 1] & ~outcomes[:, 0])
    return np.concatenate([[0.0], log_e_value(only_a, only_b)])


def log_e_value(only_a: IntArray, only_b: IntArray) -> FloatArray:
    """Logarithm of the e-value after so many pairs in which only the first or only the second succeeded.

    All have the same shape.
    """
    logs = (only_a + only_b) * math.log(2) + betaln(only_a + 1, only_b + 1)
    return np.asarray(np.round(logs, 10))  # after one discordant pair exactly 0, not 1e-16


def log_wealth(only_a: FloatArray, only_b: FloatArray, pairs: FloatArray, mean: FloatArray) -> FloatArray:
    """Logarithm of the wealth against the claim that the mean difference is `mean`, -1 to 1.

    All arguments have the shape of the result: the pairs so far, those in which only the first or only the second
    succeeded, and the claim.
    """
    a, b, n, m = (np.asarray(values, dtype=float)[..., None] for values in (only_a, only_b, pairs, mean))
    won = a * np.log1p(_STAKES) + b * np.log1p(-_STAKES) - n * np.log1p(_STAKES * m)
    return np.asarray(logsumexp(won, axis=-1, b=_SHARES / 2))


def mean_interval(counts: PairedCounts, *, alpha: float) -> tuple[float, float]:
    """The mean differences against which the wealth is below 1/alpha: right at all times with probability 1 - alpha.

    The wealth is convex in the mean and at most 1 at the observed difference, so this is one interval around it:
    lowest and highest difference, first minus second; (-1, 1) without pairs.
    """
    if counts.pairs == 0:
        return -1.0, 1.0
    observed = counts.difference
    return _end(counts, observed, -1.0, alpha), _end(counts, observed, 1.0, alpha)


def rate_interval(successes: int, episodes: int, *, alpha: float) -> tuple[float, float]:
    """The anytime-valid interval of one success rate: right at all times with probability 1 - `alpha`.

    A success counts as 1 and a failure as -1, so the mean of these is twice the rate minus 1. Of several tasks it is
    the interval of their mean rate, if all have had the same number of episodes. (0, 1) without episodes.
    """
    counts = PairedCounts(both=0, only_a=successes, only_b=episodes - successes, neither=0)
    low, high = mean_interval(counts, alpha=alpha)
    return (1 + low) / 2, (1 + high) / 2


def _end(counts: PairedCounts, inside: float, end: float, alpha: float) -> float:
    def surplus(mean: float) -> float:
        a, b, n, m = (np.asarray(value) for value in (counts.only_a, counts.only_b, counts.pairs, mean))
        return float(log_wealth(a, b, n, m)) + math.log(alpha)

    return end if surplus(end) <= 0 else float(brentq(surplus, inside, end))


def _exp(logarithm: float) -> float:
    return math.exp(min(logarithm, 700.0))  # the largest float is exp(709)
