import numpy as np
import pytest

from ambidex.policies.uniact.code_usage import code_shares, dead_codes, jensen_shannon, perplexity


def test_usage_counts_codes_of_any_shape():
    assert code_shares(np.array([[0, 2], [2, 2]]), 4).tolist() == [0.25, 0, 0.75, 0]
    assert code_shares(np.empty(0, np.int64), 3).tolist() == [0, 0, 0]


@pytest.mark.parametrize("code", [-1, 4])
def test_a_code_that_is_none_is_an_error(code):
    with pytest.raises(ValueError, match="expected 0 to 3"):
        code_shares(np.array([1, code]), 4)


def test_perplexity_is_the_number_of_codes_in_equal_use():
    assert perplexity(np.full(8, 1 / 8)) == pytest.approx(8)
    assert perplexity(np.array([0, 1.0, 0])) == pytest.approx(1)
    assert perplexity(np.array([0.5, 0.5, 0, 0])) == pytest.approx(2)
    assert perplexity(np.array([0.75, 0.25])) == pytest.approx(4 / 3**0.75)


def test_dead_codes_are_those_nobody_uses():
    assert dead_codes(code_shares(np.array([1, 1, 3]), 5)) == (0, 2, 4)


def test_jensen_shannon_is_exact():
    groups = np.array([[1.0, 0, 0], [0, 1.0, 0], [0.5, 0.5, 0], [1.0, 0, 0]])
    half = 1.5 - 0.75 * np.log2(3)  # of certainty and an even choice of two
    expected = [[0, 1, half, 0], [1, 0, half, 1], [half, half, 0, half], [0, 1, half, 0]]
    assert jensen_shannon(groups) == pytest.approx(np.array(expected), abs=1e-12)


def test_jensen_shannon_is_symmetric_and_within_its_bounds():
    groups = np.random.default_rng(0).dirichlet(np.full(16, 0.2), 5)
    found = jensen_shannon(groups)
    assert np.allclose(found, found.T) and (found >= 0).all() and (found <= 1).all()
    assert np.diag(found) == pytest.approx(0, abs=1e-12)
