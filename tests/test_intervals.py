import math

import numpy as np
import pytest
from scipy.stats import binom

from ambidex.intervals import exact_interval, format_rate, is_near_an_end, tasks_interval, wilson_interval


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [  # scipy 1.17.1: binomtest(successes, trials).proportion_ci(method="wilson")
        (0, 10, 0.0, 0.27753280),
        (10, 10, 0.72246720, 1.0),
        (15, 148, 0.06238640, 0.16048724),
        (50, 52, 0.87018811, 0.98938829),
        (1, 2, 0.09453121, 0.90546879),
    ],
)
def test_known_values(successes, trials, low, high):
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=1e-8)


def test_the_ends_solve_the_score_equation():
    successes, trials = 37, 91
    for end in wilson_interval(successes, trials):
        z = (successes / trials - end) / math.sqrt(end * (1 - end) / trials)
        assert abs(z) == pytest.approx(1.959963984540054)


def test_nothing_is_known_without_trials():
    assert wilson_interval(0, 0) == (0.0, 1.0)
    assert format_rate(0, 0) == "0/0 = unknown (95 % interval 0.0 to 100.0)"


@pytest.mark.parametrize(("successes", "trials"), [(-1, 3), (4, 3), (0, -1)])
def test_impossible_counts_are_refused(successes, trials):
    with pytest.raises(ValueError, match="expected 0 <= successes"):
        wilson_interval(successes, trials)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [  # scipy 1.17.1: binomtest(successes, trials).proportion_ci(method="exact")
        (0, 10, 0.0, 0.30849710),
        (10, 10, 0.69150290, 1.0),
        (49, 50, 0.89353045, 0.99949377),
        (1, 2, 0.01257912, 0.98742088),
        (0, 0, 0.0, 1.0),
    ],
)
def test_known_exact_values(successes, trials, low, high):
    assert exact_interval(successes, trials) == pytest.approx((low, high), abs=1e-8)


@pytest.mark.parametrize("trials", [5, 10, 20, 50, 100, 500, 1000])
def test_near_the_ends_the_printed_interval_covers_every_rate(trials):
    """By enumeration of all outcomes; Wilson's interval alone covers some of these rates with probability 0.84."""
    rates, counts = 1 - np.logspace(-5, -1, 500), range(trials + 1)
    chosen = [exact_interval(k, trials) if is_near_an_end(k, trials) else wilson_interval(k, trials) for k in counts]
    assert coverage(chosen, rates).min() >= 0.95
    assert coverage([(1 - high, 1 - low) for low, high in reversed(chosen)], rates).min() >= 0.95
    assert coverage([wilson_interval(k, trials) for k in counts], rates).min() < 0.9


def coverage(intervals, rates):
    low, high = np.array(intervals).T
    likely = binom.pmf(np.arange(len(low)), len(low) - 1, rates[:, None])
    return (likely * ((low <= rates[:, None]) & (rates[:, None] <= high))).sum(axis=1)


def test_the_ends_are_the_outer_fifths_and_few_trials():
    assert [is_near_an_end(k, 20) for k in range(21)] == [True] * 5 + [False] * 11 + [True] * 5
    assert is_near_an_end(9, 19) and not is_near_an_end(0, 0)


def test_the_interval_of_tasks_like_these_covers_their_mean_rate():
    """Ten tasks whose true rates are drawn anew: Wilson's interval of all episodes together is far too narrow."""
    rng = np.random.default_rng(1)
    covered = np.zeros(2)
    for _ in range(200):
        successes = rng.binomial(50, rng.beta(4, 1, 10))
        intervals = tasks_interval([(int(k), 50) for k in successes]), wilson_interval(int(successes.sum()), 500)
        covered += [low <= 0.8 <= high for low, high in intervals]
    assert covered[0] / 200 > 0.9 and covered[1] / 200 < 0.6


@pytest.mark.parametrize("counts", [[(3, 5)], [(5, 5)] * 10, [(0, 5)] * 2, []])
def test_tasks_that_do_not_differ_say_nothing_about_others(counts):
    assert tasks_interval(counts) is None


def test_tasks_without_episodes_yet_do_not_count():
    assert tasks_interval([(3, 5), (1, 5), (0, 0)]) == tasks_interval([(3, 5), (1, 5)])


def test_a_rate_near_an_end_has_its_exact_interval_too():
    assert format_rate(50, 52) == "50/52 = 96.2 % (95 % interval 87.0 to 98.9, exact 86.79 to 99.53)"
    assert format_rate(23, 52) == "23/52 = 44.2 % (95 % interval 31.6 to 57.7)"
