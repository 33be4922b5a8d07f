import math
from itertools import product

import numpy as np
import pytest
from scipy.stats import multinomial

from ambidex.benchmarks.statistics.paired import PairedCounts, difference_interval


def counts(only_a, only_b, pairs, both=0):
    return PairedCounts(both=both, only_a=only_a, only_b=only_b, neither=pairs - only_a - only_b - both)


def test_a_published_example():
    """Cavo et al. 2012, in Fagerland, Lydersen, Laake, "Statistical Analysis of Contingency Tables" (2017), ch. 8."""
    assert difference_interval(counts(6, 16, 161, both=59)) == pytest.approx((-0.1240, -0.0054), abs=5e-5)


def test_another_confidence():
    """What R's PropCIs::scoreci.mp(25, 28, 618, 0.9) is reported to give."""
    z = 1.6448536269514722
    assert difference_interval(counts(28, 25, 618), z=z) == pytest.approx((-0.0148, 0.0247), abs=5e-5)


def test_the_ends_solve_the_score_equation_with_the_most_likely_nuisance():
    """Independent of the closed form: the rate of `only_b` is found by brute force."""
    only_a, only_b, pairs = 9, 4, 40
    for end in difference_interval(counts(only_a, only_b, pairs)):
        rates = np.linspace(max(0, -end), (1 - end) / 2, 2_000_001)[1:-1]
        likelihood = only_a * np.log(rates + end) + only_b * np.log(rates)
        likelihood += (pairs - only_a - only_b) * np.log(1 - 2 * rates - end)
        rate = rates[np.argmax(likelihood)]
        z = (only_a - only_b - pairs * end) / math.sqrt(pairs * (2 * rate + end - end**2))
        assert abs(z) == pytest.approx(1.959963984540054, abs=1e-4)


def test_it_holds_the_difference_stays_within_range_and_turns_with_the_order():
    for pairs in (1, 2, 9):
        for only_a, only_b in product(range(pairs + 1), repeat=2):
            if only_a + only_b <= pairs:
                low, high = difference_interval(counts(only_a, only_b, pairs))
                assert -1 <= low <= (only_a - only_b) / pairs <= high <= 1
                assert low < high
                assert difference_interval(counts(only_b, only_a, pairs)) == pytest.approx((-high, -low), abs=1e-9)


def test_who_succeeded_where_both_or_neither_did_does_not_matter():
    assert difference_interval(counts(3, 1, 20, both=0)) == difference_interval(counts(3, 1, 20, both=16))


def test_policies_that_never_disagree_may_still_differ():
    low, high = difference_interval(counts(0, 0, 44))
    z2 = 1.959963984540054**2
    assert (low, high) == pytest.approx((-z2 / (44 + z2), z2 / (44 + z2)))


def test_more_episodes_narrow_it():
    widths = [high - low for low, high in (difference_interval(counts(3 * k, k, 10 * k)) for k in (1, 2, 5, 20, 100))]
    assert widths == sorted(widths, reverse=True)


def test_without_pairs_nothing_is_known():
    assert difference_interval(counts(0, 0, 0)) == (-1.0, 1.0)


@pytest.mark.parametrize("rates", [(0.15, 0.05), (0.1, 0.1), (0.3, 0.1), (0.02, 0.02), (0.4, 0.0)])
def test_it_covers_the_truth_about_95_times_in_100(rates):
    """Exactly, by enumeration of all outcomes of 40 pairs."""
    pairs, (rate_a, rate_b) = 40, rates
    covered = 0.0
    for only_a, only_b in product(range(pairs + 1), repeat=2):
        weight = multinomial.pmf(
            [only_a, only_b, pairs - only_a - only_b], pairs, [rate_a, rate_b, 1 - rate_a - rate_b]
        )
        if weight > 1e-7:
            low, high = difference_interval(counts(only_a, only_b, pairs))
            covered += weight * (low <= rate_a - rate_b <= high)
    assert 0.93 < covered < 0.995  # hardly any pair disagrees in the fourth case, so it can only be careful
