"""A test that may be looked at after every episode."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import betaln

from ambidex.benchmarks.comparison.betting import mean_interval
from ambidex.benchmarks.comparison.paired_counts import PairedCounts
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
