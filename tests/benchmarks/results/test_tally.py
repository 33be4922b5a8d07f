import pytest
from results_folder import make_row

from ambidex.benchmarks.results.tally import Tally
from ambidex.intervals import wilson_interval

STAGES = ("none", "touched", "lifted", "contacted", "inserted")


def rows():
    outcomes = [("success", 4), ("failure", 4), ("failure", 2), ("error", 1), ("failure", 0)]
    return [make_row(seed=100_000 + i, outcome=outcome, stage=stage) for i, (outcome, stage) in enumerate(outcomes)]


def test_every_episode_counts_once():
    tally = Tally.of(rows(), STAGES)
    assert (tally.n, tally.successes, tally.failures, tally.errors) == (5, 1, 3, 1)
    assert tally.rate == 0.2 and tally.interval == wilson_interval(1, 5)
    assert tally.mean_steps == pytest.approx((300 + 4 * 400) / 5)


def test_a_stage_counts_episodes_that_reached_it_or_a_later_one():
    stages = Tally.of(rows(), STAGES).stages
    assert [(stage.name, stage.count) for stage in stages] == [
        ("touched", 4),
        ("lifted", 3),
        ("contacted", 2),
        ("inserted", 2),
    ]
    assert [stage.rate for stage in stages] == [0.8, 0.6, 0.4, 0.4]


def test_without_episodes_nothing_is_known():
    tally = Tally.of([], STAGES)
    assert tally.rate is None and tally.interval == (0.0, 1.0) and tally.mean_steps is None
    assert str(tally) == "0/0 = unknown (95 % interval 0.0 to 100.0)"
