"""Paired differences of what two policies did."""

import pytest
from results_folder import FIRST_SEED, make_row

from ambidex.benchmarks.comparison.behaviour import behaviour_differences, behaviour_table, path_ratio
from ambidex.benchmarks.statistics.mean import means_by_name
from ambidex.envs.types import Behaviour

PATHS = ((2.0, 1.0), (3.0, 1.0), (5.0, 2.0))


def row(index, path, policy, outcome="success"):
    behaviour = Behaviour(
        stage_steps={"none": 5}, path_m={"left": path, "right": 0.0}, idle={}, largest_force_n=path, drops=0
    )
    return make_row(seed=FIRST_SEED + index, outcome=outcome, policy=policy, behaviour=behaviour)


@pytest.fixture
def pairs():
    outcomes = ("success", "success", "failure")
    return [(row(i, a, "act", outcomes[i]), row(i, b, "scripted")) for i, (a, b) in enumerate(PATHS)]


def test_differences_are_paired_with_students_interval(pairs):
    found = {each.name: each for each in behaviour_differences(pairs)}
    force = found["largest contact force [N]"]
    assert (force.a.mean, force.b.mean, force.difference.mean) == pytest.approx((10 / 3, 4 / 3, 2.0))
    # scipy.stats.ttest_1samp([1, 2, 3], 0).confidence_interval()
    assert force.difference.interval == pytest.approx((-0.4841, 4.4841), abs=1e-4)
    assert force.successes.mean == 1.5 and force.successes.episodes == 2


def test_equal_numbers_have_no_interval(pairs):
    drops = {each.name: each for each in behaviour_differences(pairs)}["objects dropped"]
    assert (drops.difference.mean, drops.difference.interval) == (0.0, None)


def test_paths_are_compared_with_the_experts(pairs):
    found = path_ratio(pairs)
    assert found.of_a and found.ratio.mean == pytest.approx(2.5) and found.successes.mean == pytest.approx(2.5)
    swapped = path_ratio([(b, a) for a, b in pairs])
    assert not swapped.of_a and swapped.ratio == found.ratio
    assert path_ratio([(a, a) for a, _ in pairs]) is None
    assert "as a ratio to the expert's (B): 2.5 [" in behaviour_table(pairs, "A", "B")


def test_episodes_without_behaviour_are_left_out(pairs):
    old = [(make_row(seed=FIRST_SEED + 9), row(9, 1.0, "scripted"))]
    assert behaviour_differences(pairs + old) == behaviour_differences(pairs)
    assert behaviour_table(old, "A", "B") == "" and path_ratio(old) is None
    assert means_by_name(a.behaviour.numbers for a, _ in pairs + old if a.behaviour)["path, left [m]"].episodes == 3
