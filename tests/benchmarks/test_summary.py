import pytest
from results_folder import make_row

from ambidex.benchmarks.results.tally import Tally
from ambidex.intervals import wilson_interval

STAGES = ("none", "touched", "lifted", "contacted", "inserted")


def rows():
    outcomes = [("success", 4), ("failure", 4), ("failure", 2), ("error", 1), ("failure", 0)]
    return [make_row(seed=100_000 + i, outcome=outcome, stage=stage) for i, (outcome, stage) in enumerate(outcomes)]


def test_every_episode_counts_once():
    summary = Tally.of(rows(), STAGES)
    assert (summary.n, summary.successes, summary.failures, summary.errors) == (5, 1, 3, 1)
    assert summary.rate == 0.2 and summary.interval == wilson_interval(1, 5)
    assert summary.mean_steps == pytest.approx((300 + 4 * 400) / 5)


def test_a_stage_counts_who_reached_it_or_a_later_one():
    funnel = Tally.of(rows(), STAGES).stages
    assert [(stage.name, stage.count) for stage in funnel] == [
        ("touched", 4),
        ("lifted", 3),
        ("contacted", 2),
        ("inserted", 2),
    ]
    assert [stage.rate for stage in funnel] == [0.8, 0.6, 0.4, 0.4]


def test_nothing_is_known_of_no_episodes():
    summary = Tally.of([], STAGES)
    assert summary.rate is None and summary.interval == (0.0, 1.0) and summary.mean_steps is None
    assert str(summary) == "0/0 = unknown (95 % interval 0.0 to 100.0)"
