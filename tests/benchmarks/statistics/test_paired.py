import math
from itertools import product

import numpy as np
import pytest
from scipy.stats import binomtest, multinomial

from ambidex.benchmarks.statistics.paired import PairedCounts, difference_interval, exact_p, holm, mid_p


@pytest.mark.parametrize(
    ("only_a", "only_b", "exact", "mid"),
    [
        (1, 7, 0.0703125, 0.0390625),  # Bentur et al. 2009, in Fagerland, Lydersen, Laake 2013
        (6, 16, 0.052479, 0.034690),  # Cavo et al. 2012, in Fagerland, Lydersen, Laake 2017, chapter 8
        (12, 2, 0.012939, 0.007385),  # Armitage and Berry 1994, p. 127: exact p 0.0129
    ],
)
def test_mcnemar_gives_published_p_values(only_a, only_b, exact, mid):
    assert exact_p(only_a, only_b) == pytest.approx(exact, abs=1e-6)
    assert mid_p(only_a, only_b) == pytest.approx(mid, abs=1e-6)


@pytest.mark.parametrize("discordant", [1, 2, 7, 30, 101])
def test_mcnemar_is_the_binomial_test_of_a_fair_coin_and_symmetric(discordant):
    for only_a in range(discordant + 1):
        p = exact_p(only_a, discordant - only_a)
        assert p == pytest.approx(binomtest(only_a, discordant, 0.5).pvalue, rel=1e-12)
        assert p == pytest.approx(exact_p(discordant - only_a, only_a), rel=1e-12)
        assert 0 < p <= 1 and 0 < mid_p(only_a, discordant - only_a) < p


def test_without_discordant_pairs_p_is_one():
    assert exact_p(0, 0) == 1.0


def test_an_even_split_has_p_one():
    assert exact_p(1, 1) == 1.0
    assert mid_p(1, 1) == pytest.approx(1 - 0.5 * 0.5)  # half the probability of 1 of 2, by the paper's rule


def test_six_to_nothing_is_the_smallest_significant_result():
    assert exact_p(5, 0) > 0.05 >= exact_p(6, 0)


def counts(only_a, only_b, pairs, both=0):
    return PairedCounts(both=both, only_a=only_a, only_b=only_b, neither=pairs - only_a - only_b - both)


def test_interval_of_a_published_example():
    """Cavo et al. 2012, in Fagerland, Lydersen, Laake, "Statistical Analysis of Contingency Tables" (2017), ch. 8."""
    assert difference_interval(counts(6, 16, 161, both=59)) == pytest.approx((-0.1240, -0.0054), abs=5e-5)


def test_interval_with_another_confidence():
    """What R's PropCIs::scoreci.mp(25, 28, 618, 0.9) is reported to give."""
    z = 1.6448536269514722
    assert difference_interval(counts(28, 25, 618), z=z) == pytest.approx((-0.0148, 0.0247), abs=5e-5)


def test_interval_ends_solve_the_score_equation_with_the_most_likely_nuisance_parameter():
    """Independent of the closed form: the rate of `only_b` is found by brute force."""
    only_a, only_b, pairs = 9, 4, 40
    for end in difference_interval(counts(only_a, only_b, pairs)):
        rates = np.linspace(max(0, -end), (1 - end) / 2, 2_000_001)[1:-1]
        likelihood = only_a * np.log(rates + end) + only_b * np.log(rates)
        likelihood += (pairs - only_a - only_b) * np.log(1 - 2 * rates - end)
        rate = rates[np.argmax(likelihood)]
        z = (only_a - only_b - pairs * end) / math.sqrt(pairs * (2 * rate + end - end**2))
        assert abs(z) == pytest.approx(1.959963984540054, abs=1e-4)


def test_interval_contains_the_difference_and_is_antisymmetric():
    for pairs in (1, 2, 9):
        for only_a, only_b in product(range(pairs + 1), repeat=2):
            if only_a + only_b <= pairs:
                low, high = difference_interval(counts(only_a, only_b, pairs))
                assert -1 <= low <= (only_a - only_b) / pairs <= high <= 1
                assert low < high
                assert difference_interval(counts(only_b, only_a, pairs)) == pytest.approx((-high, -low), abs=1e-9)


def test_interval_does_not_depend_on_how_concordant_pairs_ended():
    assert difference_interval(counts(3, 1, 20, both=0)) == difference_interval(counts(3, 1, 20, both=16))


def test_interval_without_discordant_pairs_does_not_collapse():
    low, high = difference_interval(counts(0, 0, 44))
    z2 = 1.959963984540054**2
    assert (low, high) == pytest.approx((-z2 / (44 + z2), z2 / (44 + z2)))


def test_interval_narrows_with_more_episodes():
    widths = [high - low for low, high in (difference_interval(counts(3 * k, k, 10 * k)) for k in (1, 2, 5, 20, 100))]
    assert widths == sorted(widths, reverse=True)


def test_interval_without_pairs_is_everything():
    assert difference_interval(counts(0, 0, 0)) == (-1.0, 1.0)


@pytest.mark.parametrize("rates", [(0.15, 0.05), (0.1, 0.1), (0.3, 0.1), (0.02, 0.02), (0.4, 0.0)])
def test_interval_covers_the_truth_with_95_percent_probability(rates):
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
    assert 0.93 < covered < 0.995  # in the fourth case few pairs are discordant, so it is conservative


def test_holm_on_an_example_by_hand():
    # sorted 0.005, 0.01, 0.03, 0.04; times 4, 3, 2, 1: 0.02, 0.03, 0.06, 0.04; never less than the one before
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_leaves_a_single_p_value_unchanged():
    assert holm([0.04]) == [0.04]
    assert holm([]) == []


def test_holm_never_decreases_p_values_and_keeps_their_order():
    rng = np.random.default_rng(0)
    for _ in range(200):
        raw = np.round(rng.uniform(0, 1, rng.integers(1, 12)) ** 3, 2)  # with ties
        corrected = np.array(holm(raw))
        assert np.all(corrected >= raw) and np.all(corrected <= 1)
        assert np.all(np.diff(corrected[np.argsort(raw, kind="stable")]) >= 0)
        assert np.all(corrected <= np.minimum(1, len(raw) * raw) + 1e-15)  # never more conservative than Bonferroni


def test_holm_does_not_depend_on_the_order_of_tests():
    rng = np.random.default_rng(1)
    raw = rng.uniform(0, 0.1, 8)
    turned = rng.permutation(8)
    assert holm(raw[turned]) == pytest.approx(np.array(holm(raw))[turned])


def test_holm_is_monotone():
    raw = [0.01, 0.02, 0.03, 0.2]
    for i in range(4):
        changed = list(raw)
        changed[i] = 0.5
        assert all(after >= before for before, after in zip(holm(raw), holm(changed), strict=True))


def test_holm_keeps_the_family_wise_error_rate_at_five_percent():
    rng = np.random.default_rng(2)
    trials, tests = 4000, 6
    raw = rng.uniform(0, 1, (trials, tests))
    false_calls = np.mean([min(holm(row)) <= 0.05 for row in raw])
    assert 0.03 < false_calls <= 0.055
    assert np.mean(raw.min(axis=1) <= 0.05) > 0.2  # without a correction


@pytest.mark.parametrize("wrong", [[-0.1], [0.5, 1.1], [float("nan")]])
def test_holm_refuses_values_outside_zero_to_one(wrong):
    with pytest.raises(ValueError, match=r"within 0\.\.1"):
        holm(wrong)
