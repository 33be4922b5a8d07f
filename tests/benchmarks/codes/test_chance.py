"""The permutation test of the divergence of two usages of a codebook."""

from itertools import permutations

import numpy as np
import pytest

from ambidex.benchmarks.codes.chance import ChanceDivergence, chances
from ambidex.policies.uniact.code_statistics import jensen_shannon


def shares(*counts):
    return np.array(counts) / sum(counts)


def random_usage(rng, used, size=32):
    """Uneven shares of some of the codes."""
    shares = np.zeros(size)
    shares[rng.choice(size, used, replace=False)] = rng.dirichlet(np.full(used, 0.7))
    return shares


def test_random_renamings_agree_with_all_renamings():
    one, other = shares(5, 1, 0, 3, 0, 2), shares(4, 0, 0, 2, 1, 3)
    used = np.array([0, 1, 3, 4, 5])
    every = [jensen_shannon(np.stack([one[used], other[list(names)]]))[0, 1] for names in permutations(used)]
    found = ChanceDivergence.of(one, other, draws=40_000)
    assert found.divergence == pytest.approx(jensen_shannon(np.stack([one, other]))[0, 1])
    assert found.mean == pytest.approx(np.mean(every), abs=0.005)
    assert (found.low, found.high) == pytest.approx(np.quantile(every, [0.025, 0.975]), abs=0.01)
    assert found.p == pytest.approx(np.mean(np.array(every) <= found.divergence + 1e-9), abs=0.005)


def test_equal_usages_are_more_alike_than_by_chance():
    usage = random_usage(np.random.default_rng(0), 20)
    found = ChanceDivergence.of(usage, usage)
    assert found.divergence == pytest.approx(0) and found.low > 0.1
    assert found.p == 1 / 10_001


def test_usages_without_a_common_code_are_not_more_alike_than_by_chance():
    found = ChanceDivergence.of(shares(3, 2, 1, 0, 0, 0, 0), shares(0, 0, 0, 1, 2, 3, 0))
    assert found.divergence == pytest.approx(1) and found.mean < 1 and found.p == 1


@pytest.mark.parametrize("other", [shares(1, 0), shares(0, 1)])
def test_one_or_two_codes_show_nothing(other):
    assert ChanceDivergence.of(shares(1, 0), other, draws=2_000).p > 0.4


def test_even_usages_of_the_same_codes_are_as_alike_as_any_renaming():
    even = shares(*[1] * 10, 0)
    found = ChanceDivergence.of(even, even, draws=500)
    assert found.p == 1 and found.mean == pytest.approx(0)


def test_unrelated_usages_are_rarely_significant():
    rng = np.random.default_rng(0)
    pairs = [(random_usage(rng, 32), random_usage(rng, 32)) for _ in range(400)]
    p_values = np.array([ChanceDivergence.of(*pair, draws=199).p for pair in pairs])
    assert 0.45 < p_values.mean() < 0.55
    assert (p_values <= 0.05).mean() < 0.08


def test_unrelated_usages_of_parts_of_a_codebook_are_even_more_rarely_significant():
    rng = np.random.default_rng(0)
    p_values = [ChanceDivergence.of(random_usage(rng, 12), random_usage(rng, 12), draws=199).p for _ in range(200)]
    assert np.mean(p_values) > 0.55


def test_the_seed_fixes_the_result():
    rng = np.random.default_rng(0)
    pair = random_usage(rng, 20), random_usage(rng, 20)
    assert ChanceDivergence.of(*pair) == ChanceDivergence.of(*pair)
    one, other = (ChanceDivergence.of(*pair, seed=seed) for seed in (1, 2))
    assert one != other and one.p == pytest.approx(other.p, abs=0.03)


def test_number_of_draws_need_not_be_a_multiple_of_the_block():
    pair = shares(3, 2, 1), shares(1, 0, 4)
    assert [ChanceDivergence.of(*pair, draws=draws).draws for draws in (1, 1_000, 1_001)] == [1, 1_000, 1_001]
    assert ChanceDivergence.of(*pair, draws=1).p in (0.5, 1)


def test_every_pair_of_groups_is_tested():
    groups = [shares(3, 2, 1, 0), shares(1, 0, 4, 0), shares(0, 0, 0, 1)]
    found = chances(groups)
    assert list(found) == [(0, 1), (0, 2), (1, 2)]
    assert found[0, 2] == ChanceDivergence.of(groups[0], groups[2])
