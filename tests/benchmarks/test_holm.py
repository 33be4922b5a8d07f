import numpy as np
import pytest

from ambidex.benchmarks.statistics.paired import holm


def test_an_example_by_hand():
    # sorted 0.005, 0.01, 0.03, 0.04; times 4, 3, 2, 1: 0.02, 0.03, 0.06, 0.04; never less than the one before
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_one_test_needs_no_correction_and_none_gives_none():
    assert holm([0.04]) == [0.04]
    assert holm([]) == []


def test_never_smaller_never_above_one_and_in_the_same_order():
    rng = np.random.default_rng(0)
    for _ in range(200):
        raw = np.round(rng.uniform(0, 1, rng.integers(1, 12)) ** 3, 2)  # with ties
        corrected = np.array(holm(raw))
        assert np.all(corrected >= raw) and np.all(corrected <= 1)
        assert np.all(np.diff(corrected[np.argsort(raw, kind="stable")]) >= 0)
        assert np.all(corrected <= np.minimum(1, len(raw) * raw) + 1e-15)  # never worse than Bonferroni


def test_the_order_of_the_tests_does_not_matter():
    rng = np.random.default_rng(1)
    raw = rng.uniform(0, 0.1, 8)
    turned = rng.permutation(8)
    assert holm(raw[turned]) == pytest.approx(np.array(holm(raw))[turned])


def test_a_larger_p_makes_no_other_smaller():
    raw = [0.01, 0.02, 0.03, 0.2]
    for i in range(4):
        changed = list(raw)
        changed[i] = 0.5
        assert all(after >= before for before, after in zip(holm(raw), holm(changed), strict=True))


def test_the_chance_of_one_false_call_stays_at_five_percent():
    rng = np.random.default_rng(2)
    trials, tests = 4000, 6
    raw = rng.uniform(0, 1, (trials, tests))
    false_calls = np.mean([min(holm(row)) <= 0.05 for row in raw])
    assert 0.03 < false_calls <= 0.055
    assert np.mean(raw.min(axis=1) <= 0.05) > 0.2  # without a correction


@pytest.mark.parametrize("wrong", [[-0.1], [0.5, 1.1], [float("nan")]])
def test_what_is_no_p_value_is_refused(wrong):
    with pytest.raises(ValueError, match=r"within 0\.\.1"):
        holm(wrong)
