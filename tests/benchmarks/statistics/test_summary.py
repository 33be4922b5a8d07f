from dataclasses import replace
from pathlib import Path

import pytest

from ambidex.benchmarks.statistics.paired import PairedCounts, exact_p, mid_p
from ambidex.benchmarks.statistics.sample_size import pairs_needed
from ambidex.benchmarks.statistics.summary import PairedStatistics
from ambidex.intervals import wilson_interval


def outcomes(both, only_a, only_b, neither):
    pairs = [(True, True)] * both + [(True, False)] * only_a + [(False, True)] * only_b
    return pairs + [(False, False)] * neither


def test_counts_are_the_2x2_table():
    counts = PairedCounts.of(outcomes(30, 12, 4, 54))
    assert counts == PairedCounts(both=30, only_a=12, only_b=4, neither=54)
    assert (counts.pairs, counts.discordant, counts.successes_a, counts.successes_b) == (100, 16, 42, 34)
    assert counts.difference == pytest.approx(0.08)


def test_all_statistics_use_the_same_pairs():
    statistics = PairedStatistics.of(outcomes(30, 16, 4, 50), difference=0.15, power=0.9)
    assert statistics.exact_p == statistics.corrected_p == exact_p(16, 4)
    assert statistics.mid_p == mid_p(16, 4)
    assert statistics.interval_a == wilson_interval(46, 100) and statistics.interval_b == wilson_interval(34, 100)
    assert statistics.pairs_needed == pairs_needed(0.2, 0.15, alpha=0.05, power=0.9)
    low, high = statistics.pairs_needed_interval
    assert low < statistics.pairs_needed < high
    assert (statistics.more_pairs(140), statistics.more_pairs(100), statistics.more_pairs(40)) == (40, 0, 0)


def test_exchanging_the_policies_mirrors_everything():
    there, back = PairedStatistics.of(outcomes(30, 16, 4, 50)), PairedStatistics.of(outcomes(30, 4, 16, 50))
    assert (there.better, back.better) == ("a", "b")
    assert there.interval_a == back.interval_b
    assert there.difference_interval == pytest.approx([-end for end in reversed(back.difference_interval)])
    assert there.exact_p == pytest.approx(back.exact_p)
    assert there.sequential.e_value == pytest.approx(back.sequential.e_value)
    assert there.pairs_needed == back.pairs_needed


def test_a_policy_is_better_only_by_the_corrected_p_value():
    statistics = PairedStatistics.of(outcomes(30, 16, 4, 50))
    assert statistics.better == "a"
    assert replace(statistics, corrected_p=0.051).better == ""
    assert replace(statistics, corrected_p=0.05).better == "a"
    assert not replace(statistics, corrected_anytime_p=0.051).better_at_any_time


def test_more_tests_need_more_pairs():
    alone, among_many = (PairedStatistics.of(outcomes(30, 16, 4, 50), tests=tests) for tests in (1, 6))
    assert among_many.pairs_needed > alone.pairs_needed and among_many.tests == 6


def test_one_pair_shows_nothing():
    statistics = PairedStatistics.of([(True, False)])
    assert statistics.better == "" and statistics.exact_p == 1.0 and not statistics.better_at_any_time


def test_the_worked_example_in_the_documentation_is_right():
    text = (Path(__file__).parents[3] / "docs" / "statistics.md").read_text()
    s = PairedStatistics.of(outcomes(30, 10, 20, 40)[::-1])
    low, high = s.difference_interval
    expected = [
        f"40/100, 40.0 % [{100 * s.interval_a[0]:.1f}, {100 * s.interval_a[1]:.1f}]",
        f"50/100, 50.0 % [{100 * s.interval_b[0]:.1f}, {100 * s.interval_b[1]:.1f}]",
        f"-10.0 [{100 * low:+.1f}, {100 * high:+.1f}] points",
        f"| {s.exact_p:.4f} |",
        f"| {s.mid_p:.4f} |",
        f"| {s.sequential.e_value:.2f} |",
        f"[{100 * s.sequential.low:+.1f}, {100 * s.sequential.high:+.1f}] points",
        f"| {s.pairs_needed}, so {s.more_pairs(s.pairs_needed)} more |",
        f"{s.pairs_needed_interval[0]} to {s.pairs_needed_interval[1]} at the ends",
    ]
    assert [words for words in expected if words not in text] == []
