import math

import pytest

from ambidex.intervals import format_rate, wilson_interval


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


def test_words():
    assert format_rate(50, 52) == "50/52 = 96.2 % (95 % interval 87.0 to 98.9)"
