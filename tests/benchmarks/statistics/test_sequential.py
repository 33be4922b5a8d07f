import math
from functools import cache

import numpy as np
import pytest
from scipy.stats import binom

from ambidex.benchmarks.statistics.paired import PairedCounts, exact_p
from ambidex.benchmarks.statistics.sequential import (
    SequentialTest,
    log_e_values,
    log_wealth,
    mean_interval,
    rate_interval,
)

A, B, TIE = (True, False), (False, True), (True, True)


def random_pairs(rng, rates_a, rates_b, pairs):
    """Random pairs over the tasks in turn; in task i only a succeeds at rates_a[i], only b at rates_b[i]."""
    luck, tasks = rng.uniform(size=pairs), np.arange(pairs) % len(rates_a)
    won_a, won_b = np.array(rates_a)[tasks], np.array(rates_b)[tasks]
    return [A if u < a else B if u < a + b else TIE for u, a, b in zip(luck, won_a, won_b, strict=True)]


def test_e_values_of_an_example_by_hand():
    # A wins 3 of 3: mean of q^3 over all q is 1/4, a fair coin gives 1/8
    assert np.exp(log_e_values([A, A, A])) == pytest.approx([1, 1, 4 / 3, 2])
    # 2 of 3: mean of q^2 (1 - q) is 1/12
    assert SequentialTest.of([A, B, A], alpha=0.05).e_value == pytest.approx(8 / 12)


def test_the_closed_form_equals_the_wealth_of_all_bets():
    for only_a, only_b in [(0, 0), (1, 0), (8, 3), (40, 90), (700, 600)]:
        pairs = [A] * only_a + [B] * only_b + [TIE] * 5
        wealth = log_wealth(*map(np.array, (only_a, only_b, len(pairs), 0.0)))
        assert log_e_values(pairs)[-1] == pytest.approx(float(wealth), abs=1e-8)


def test_it_is_a_martingale_under_a_fair_coin():
    for only_a, only_b in [(0, 0), (3, 1), (10, 25)]:
        now, if_a, if_b = (
            np.exp(log_e_values([A] * a + [B] * b)[-1])
            for a, b in [(only_a, only_b), (only_a + 1, only_b), (only_a, only_b + 1)]
        )
        assert (if_a + if_b) / 2 == pytest.approx(now)


def test_concordant_pairs_change_nothing_and_the_test_is_symmetric():
    pairs = [A, A, B, A, A, A]
    plain = SequentialTest.of(pairs, alpha=0.05)
    tied = SequentialTest.of([pair for won in pairs for pair in (TIE, won, (False, False))], alpha=0.05)
    turned = SequentialTest.of([(b, a) for a, b in pairs], alpha=0.05)
    assert tied.e_value == plain.e_value == turned.e_value
    assert tied.p_value == plain.p_value == turned.p_value
    assert (turned.low, turned.high) == pytest.approx((-plain.high, -plain.low))


def test_the_p_value_is_that_of_the_largest_e_value():
    test = SequentialTest.of([A] * 10 + [B] * 10, alpha=0.05)
    assert test.largest_after == 10 and test.largest_e_value == pytest.approx(2**10 / 11)
    assert test.p_value == pytest.approx(11 / 2**10)
    assert test.e_value < 1


def test_without_discordant_pairs_there_is_no_evidence():
    nothing = SequentialTest.of([], alpha=0.05)
    assert (nothing.e_value, nothing.p_value, nothing.low, nothing.high) == (1.0, 1.0, -1.0, 1.0)
    assert SequentialTest.of([TIE] * 9, alpha=0.05).p_value == 1.0


def test_very_large_e_values_do_not_overflow():
    test = SequentialTest.of([A] * 3000, alpha=0.05)
    assert math.isfinite(test.e_value) and test.p_value < 1e-300 and test.low > 0.98 and test.high == 1.0


@pytest.mark.parametrize("rates", [((0.15,), (0.15,)), ((0.5,), (0.5,)), ((0.3, 0.02, 0.1), (0.3, 0.02, 0.1))])
def test_stopping_at_the_largest_e_value_has_at_most_five_percent_false_calls(rates):
    rng = np.random.default_rng(0)
    trials = 2000
    false_calls = sum(max(log_e_values(random_pairs(rng, *rates, 400))) >= math.log(20) for _ in range(trials))
    assert 0 < false_calls <= binom.ppf(0.999, trials, 0.05)


def test_stopping_at_the_smallest_mcnemar_p_has_far_more_false_calls():
    rng, p_value = np.random.default_rng(0), cache(exact_p)

    def called(pairs):
        won = np.array(pairs)
        only_a, only_b = (np.cumsum(won[:, i] & ~won[:, 1 - i]) for i in (0, 1))
        return any(p_value(int(only_a[t]), int(only_b[t])) <= 0.05 for t in range(9, 400, 10))

    assert sum(called(random_pairs(rng, (0.15,), (0.15,), 400)) for _ in range(150)) / 150 > 0.1


def test_a_true_difference_is_detected():
    rng = np.random.default_rng(1)
    found = [SequentialTest.of(random_pairs(rng, (0.3,), (0.05,), 150), alpha=0.05).p_value <= 0.05 for _ in range(200)]
    assert np.mean(found) > 0.95


@pytest.mark.parametrize("rates", [((0.2,), (0.1,)), ((0.6, 0.0), (0.0, 0.2)), ((0.9,), (0.0,))])
def test_the_interval_contains_the_mean_so_far_at_all_times(rates):
    """Even if the tasks differ."""
    rng = np.random.default_rng(2)
    trials, pairs = 150, 200
    tasks = np.arange(pairs) % len(rates[0])
    mean = np.cumsum(np.subtract(*rates)[tasks]) / np.arange(1, pairs + 1)
    missed = 0
    for _ in range(trials):
        won = np.array(random_pairs(rng, *rates, pairs))
        only_a, only_b = (np.cumsum(won[:, i] & ~won[:, 1 - i]) for i in (0, 1))
        missed += np.max(log_wealth(only_a, only_b, np.arange(1, pairs + 1), mean)) >= math.log(20)
    assert missed <= binom.ppf(0.999, trials, 0.05)


@pytest.mark.parametrize(("only_a", "only_b", "pairs"), [(0, 0, 50), (12, 2, 50), (8, 0, 50), (5, 5, 10), (1, 0, 1)])
def test_the_interval_ends_where_the_wealth_is_twenty(only_a, only_b, pairs):
    counts = PairedCounts(both=0, only_a=only_a, only_b=only_b, neither=pairs - only_a - only_b)
    low, high = mean_interval(counts, alpha=0.05)
    assert -1 <= low <= counts.difference <= high <= 1
    for mean in np.linspace(-0.999, 0.999, 101):
        wealth = float(log_wealth(*map(np.array, (only_a, only_b, pairs, mean))))
        assert (wealth < math.log(20)) == (low < mean < high)


def test_the_interval_excludes_zero_exactly_when_the_e_value_exceeds_twenty():
    for only_a in range(4, 14):
        test = SequentialTest.of([A] * only_a + [B] * 2 + [TIE] * 20, alpha=0.05)
        assert (test.low > 0) == (test.e_value > 20)


def test_the_interval_of_a_rate_contains_it_after_every_episode_at_once():
    """The chance of a miss at any time is at most 5 %: with 40 runs more than 6 have the probability 0.3 %."""
    rng, missed = np.random.default_rng(0), 0
    looks = [1, 3, 8, 21, 55, 144]
    for rate in (0.1, 0.7):
        for _ in range(20):
            successes = np.cumsum(rng.uniform(size=looks[-1]) < rate)
            intervals = [rate_interval(int(successes[n - 1]), n, alpha=0.05) for n in looks]
            missed += not all(low <= rate <= high for low, high in intervals)
    assert missed <= 6


def test_the_interval_of_a_rate_is_within_0_and_1_and_shrinks():
    assert rate_interval(0, 0, alpha=0.05) == (0, 1)
    assert rate_interval(10, 10, alpha=0.05)[1] == 1 and rate_interval(0, 10, alpha=0.05)[0] == 0
    few, many = (rate_interval(7 * k, 10 * k, alpha=0.05) for k in (1, 100))
    assert few[0] < many[0] < 0.7 < many[1] < few[1]
    assert many[1] - many[0] < 0.12
