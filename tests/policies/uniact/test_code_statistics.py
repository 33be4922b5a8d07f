import numpy as np
import pytest

from ambidex.policies.uniact.code_statistics import code_metrics, code_shares, dead_codes, jensen_shannon, perplexity


def test_shares_count_codes_of_any_shape():
    assert code_shares(np.array([[0, 2], [2, 2]]), 4).tolist() == [0.25, 0, 0.75, 0]
    assert code_shares(np.empty(0, np.int64), 3).tolist() == [0, 0, 0]


@pytest.mark.parametrize("code", [-1, 4])
def test_a_code_out_of_range_is_an_error(code):
    with pytest.raises(ValueError, match="expected 0 to 3"):
        code_shares(np.array([1, code]), 4)


def test_perplexity_is_the_number_of_codes_in_equal_use():
    assert perplexity(np.full(8, 1 / 8)) == pytest.approx(8)
    assert perplexity(np.array([0, 1.0, 0])) == pytest.approx(1)
    assert perplexity(np.array([0.5, 0.5, 0, 0])) == pytest.approx(2)
    assert perplexity(np.array([0.75, 0.25])) == pytest.approx(4 / 3**0.75)


def test_dead_codes_are_never_used():
    assert dead_codes(code_shares(np.array([1, 1, 3]), 5)) == (0, 2, 4)


def test_jensen_shannon_is_exact():
    groups = np.array([[1.0, 0, 0], [0, 1.0, 0], [0.5, 0.5, 0], [1.0, 0, 0]])
    half = 1.5 - 0.75 * np.log2(3)  # of one code and an even choice of two
    expected = [[0, 1, half, 0], [1, 0, half, 1], [half, half, 0, half], [0, 1, half, 0]]
    assert jensen_shannon(groups) == pytest.approx(np.array(expected), abs=1e-12)


def test_jensen_shannon_is_symmetric_and_within_its_bounds():
    groups = np.random.default_rng(0).dirichlet(np.full(16, 0.2), 5)
    found = jensen_shannon(groups)
    assert np.allclose(found, found.T) and (found >= 0).all() and (found <= 1).all()
    assert np.diag(found) == pytest.approx(0, abs=1e-12)


def test_metrics_of_two_embodiments_that_share_half_of_their_codes():
    groups = {"arm": {"lift": np.array([0, 1])}, "hand": {"lift": np.array([1]), "turn": np.array([2])}}
    metrics = code_metrics(groups, 8)
    assert metrics["dead"] == 5 and metrics["perplexity"] == pytest.approx(2**1.5)
    assert metrics["perplexity/arm"] == pytest.approx(2) == metrics["perplexity/hand"]
    assert metrics["jensen_shannon/arm and hand"] == pytest.approx(0.5)
    assert metrics["jensen_shannon/hand/lift and turn"] == pytest.approx(1)
    assert len(metrics) == 6


def test_one_embodiment_with_one_task_has_no_divergence():
    assert code_metrics({"arm": {"lift": np.array([[3, 3]])}}, 4) == {"perplexity": 1, "dead": 3, "perplexity/arm": 1}


def test_of_many_tasks_only_the_mean_and_the_largest_divergence_are_listed():
    tasks = {f"task {i}": np.array([min(i, 1)]) for i in range(5)}
    metrics = code_metrics({"arm": tasks}, 4)
    assert metrics["jensen_shannon/arm/largest"] == pytest.approx(1)
    assert metrics["jensen_shannon/arm/mean"] == pytest.approx(4 / 10)
    assert len([name for name in metrics if "jensen_shannon" in name]) == 2
