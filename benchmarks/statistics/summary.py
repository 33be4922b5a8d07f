"""All statistics of two policies on the same episodes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from ambidex.benchmarks.statistics.paired import PairedCounts, difference_interval, exact_p, mid_p
from ambidex.benchmarks.statistics.sample_size import pairs_needed
from ambidex.benchmarks.statistics.sequential import SequentialTest
from ambidex.intervals import wilson_interval

ALPHA = 0.05  # level of every test; intervals have the confidence 1 - ALPHA


@dataclass(frozen=True, kw_only=True)
class PairedStatistics:
    """All statistics of two policies, a and b, on the same episodes. docs/statistics.md explains each number.

    Attributes:
        counts: The 2x2 table.
        interval_a: Wilson's 95 % interval of a's rate.
        interval_b: Wilson's 95 % interval of b's rate.
        difference_interval: Tango's 95 % interval of the difference of the rates, a minus b.
        exact_p: Two-sided exact McNemar test.
        corrected_p: `exact_p` after Holm's correction for the other tests of the command.
        mid_p: Two-sided mid-p McNemar test, for comparison with papers that use it.
        sequential: The test that may be looked at after every episode.
        corrected_anytime_p: Its p-value after Holm's correction.
        tests: Number of tests in the correction, this one among them.
        pairs_needed: Episodes of each policy with which a true difference would be detected with the requested power,
            at the level ALPHA / tests, if they disagree as often as observed.
        pairs_needed_interval: The same at both ends of Wilson's 95 % interval of how often they disagree.
    """

    counts: PairedCounts
    interval_a: tuple[float, float]
    interval_b: tuple[float, float]
    difference_interval: tuple[float, float]
    exact_p: float
    corrected_p: float
    mid_p: float
    sequential: SequentialTest
    corrected_anytime_p: float
    tests: int
    pairs_needed: int
    pairs_needed_interval: tuple[int, int]

    @classmethod
    def of(
        cls, successes: Sequence[tuple[bool, bool]], *, difference: float = 0.1, power: float = 0.8, tests: int = 1
    ) -> Self:
        """Compare paired outcomes, one pair or more.

        Args:
            successes: Pairs (a succeeded, b succeeded), in an order that does not depend on outcomes.
            difference: True difference of the rates that a longer benchmark should detect, 0 to 1.
            power: Probability of detecting it.
            tests: Number of tests that are corrected together, this one among them.
        """
        counts = PairedCounts.of(successes)
        sequential = SequentialTest.of(successes, alpha=ALPHA)
        p = exact_p(counts.only_a, counts.only_b)
        disagreement = wilson_interval(counts.discordant, counts.pairs)
        observed, low, high = (
            pairs_needed(rate, difference, alpha=ALPHA / tests, power=power)
            for rate in (counts.discordant / counts.pairs, *disagreement)
        )
        return cls(
            counts=counts,
            interval_a=wilson_interval(counts.successes_a, counts.pairs),
            interval_b=wilson_interval(counts.successes_b, counts.pairs),
            difference_interval=difference_interval(counts),
            exact_p=p,
            corrected_p=p,
            mid_p=mid_p(counts.only_a, counts.only_b),
            sequential=sequential,
            corrected_anytime_p=sequential.p_value,
            tests=tests,
            pairs_needed=observed,
            pairs_needed_interval=(low, high),
        )

    @property
    def better(self) -> str:
        """The better policy, "a" or "b", by the corrected exact test; empty if no difference is shown."""
        if self.corrected_p > ALPHA:
            return ""
        return "a" if self.counts.difference > 0 else "b"

    @property
    def better_at_any_time(self) -> bool:
        """The corrected sequential test shows a difference, even if you looked at results during the run."""
        return self.corrected_anytime_p <= ALPHA

    def more_pairs(self, needed: int) -> int:
        """How many more episodes of each policy make `needed`; 0 if there are enough."""
        return max(0, needed - self.counts.pairs)
