from itertools import product

import numpy as np
import pytest
from scipy.stats import multinomial

from ambidex.benchmarks.statistics.paired import exact_p
from ambidex.benchmarks.statistics.sample_size import approximate_pairs, exact_power, pairs_needed

USUAL = {"alpha": 0.05, "power": 0.8}


def test_connors_formula_gives_a_published_example():
    """powersamplesize.com, McNemar, two-sided: rates 0.45 and 0.05 of the two kinds of discordant pairs need 23."""
    assert approximate_pairs(0.5, 0.4, **USUAL) == 23


@pytest.mark.parametrize(("discordance", "difference"), [(0.5, 0.4), (0.3, 0.1), (0.2, 0.2), (1.0, 0.3)])
def test_power_equals_the_enumeration_of_all_outcomes(discordance, difference):
    pairs = 24
    rates = [(discordance + difference) / 2, (discordance - difference) / 2, 1 - discordance]
    found = sum(
        multinomial.pmf([only_a, only_b, pairs - only_a - only_b], pairs, rates)
        for only_a, only_b in product(range(pairs + 1), repeat=2)
        if only_a + only_b <= pairs and exact_p(only_a, only_b) <= 0.05
    )
    assert exact_power(pairs, discordance, difference, alpha=0.05) == pytest.approx(found, abs=1e-9)


def test_power_without_a_difference_is_at_most_the_level():
    for pairs in (10, 50, 300):
        assert exact_power(pairs, 0.3, 0.0, alpha=0.05) <= 0.05
    assert exact_power(2000, 0.3, 0.0, alpha=0.05) > 0.04


@pytest.mark.parametrize(("discordance", "difference"), [(0.5, 0.4), (0.3, 0.1), (0.1, 0.1), (1.0, 0.1), (0.25, 0.02)])
def test_pairs_needed_reaches_the_power_and_one_fewer_does_not(discordance, difference):
    needed = pairs_needed(discordance, difference, **USUAL)
    assert exact_power(needed, discordance, difference, alpha=0.05) >= 0.8
    assert exact_power(needed - 1, discordance, difference, alpha=0.05) < 0.8
    assert exact_power(int(0.9 * needed), discordance, difference, alpha=0.05) < 0.8
    assert 1.0 <= needed / approximate_pairs(discordance, difference, **USUAL) < 1.35


def test_pairs_needed_gives_the_power_in_a_simulation():
    rng = np.random.default_rng(0)
    needed = pairs_needed(0.3, 0.15, **USUAL)
    won = rng.multinomial(needed, [0.225, 0.075, 0.7], size=4000)
    found, counts = np.unique(won[:, :2], axis=0, return_counts=True)
    significant = [exact_p(int(a), int(b)) <= 0.05 for a, b in found]
    assert np.average(significant, weights=counts) == pytest.approx(0.8, abs=0.03)


def test_smaller_differences_more_disagreement_and_more_certainty_need_more_pairs():
    usual = pairs_needed(0.3, 0.1, **USUAL)
    assert pairs_needed(0.3, 0.05, **USUAL) > 3 * usual
    assert pairs_needed(0.5, 0.1, **USUAL) > usual
    assert pairs_needed(0.3, 0.1, alpha=0.01, power=0.8) > usual
    assert pairs_needed(0.3, 0.1, alpha=0.05, power=0.9) > usual


def test_discordance_below_the_difference_counts_as_the_difference():
    assert pairs_needed(0.0, 0.1, **USUAL) == pairs_needed(0.02, 0.1, **USUAL) == pairs_needed(0.1, 0.1, **USUAL)


def test_a_policy_that_always_wins_needs_six_pairs():
    assert pairs_needed(1.0, 1.0, **USUAL) == 6


@pytest.mark.parametrize(("discordance", "difference"), [(0.3, 0.0), (0.3, -0.1), (0.3, 1.1), (-0.1, 0.1), (1.1, 0.1)])
def test_impossible_rates_are_refused(discordance, difference):
    with pytest.raises(ValueError, match=r"within 0\.\.1"):
        pairs_needed(discordance, difference, **USUAL)
