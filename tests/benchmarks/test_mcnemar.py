import pytest
from scipy.stats import binomtest

from ambidex.benchmarks.statistics.paired import exact_p, mid_p


@pytest.mark.parametrize(
    ("only_a", "only_b", "exact", "mid"),
    [
        (1, 7, 0.0703125, 0.0390625),  # Bentur et al. 2009, in Fagerland, Lydersen, Laake 2013
        (6, 16, 0.052479, 0.034690),  # Cavo et al. 2012, in Fagerland, Lydersen, Laake 2017, chapter 8
        (12, 2, 0.012939, 0.007385),  # Armitage and Berry 1994, p. 127: exact p 0.0129
    ],
)
def test_published_examples(only_a, only_b, exact, mid):
    assert exact_p(only_a, only_b) == pytest.approx(exact, abs=1e-6)
    assert mid_p(only_a, only_b) == pytest.approx(mid, abs=1e-6)


@pytest.mark.parametrize("discordant", [1, 2, 7, 30, 101])
def test_it_is_the_binomial_test_of_a_fair_coin_whichever_policy_comes_first(discordant):
    for only_a in range(discordant + 1):
        p = exact_p(only_a, discordant - only_a)
        assert p == pytest.approx(binomtest(only_a, discordant, 0.5).pvalue, rel=1e-12)
        assert p == pytest.approx(exact_p(discordant - only_a, only_a), rel=1e-12)
        assert 0 < p <= 1 and 0 < mid_p(only_a, discordant - only_a) < p


def test_policies_that_never_disagree_show_no_difference():
    assert exact_p(0, 0) == 1.0


def test_as_many_wins_on_both_sides():
    assert exact_p(1, 1) == 1.0
    assert mid_p(1, 1) == pytest.approx(1 - 0.5 * 0.5)  # half the probability of 1 of 2, by the paper's rule


def test_six_to_nothing_is_the_least_that_is_significant():
    assert exact_p(5, 0) > 0.05 >= exact_p(6, 0)
