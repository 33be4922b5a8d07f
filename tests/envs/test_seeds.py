import pytest

from ambidex.envs.seeds import check_training_seeds, index_in_split
from ambidex.errors import UsageError


@pytest.mark.parametrize(
    ("seed", "index"), [(0, 0), (1, 1), (5, 5), (99_999, 99_999), (100_000, 0), (100_001, 1), (100_049, 49)]
)
def test_both_splits_count_from_zero(seed: int, index: int) -> None:
    assert index_in_split(seed) == index


@pytest.mark.parametrize(("first", "count"), [(0, 1), (0, 100_000), (99_999, 1)])
def test_training_seeds_end_before_those_of_benchmarks(first: int, count: int) -> None:
    check_training_seeds(first, count)


@pytest.mark.parametrize(("first", "count"), [(-1, 1), (0, 100_001), (99_999, 2), (100_000, 1)])
def test_other_seeds_are_refused(first: int, count: int) -> None:
    with pytest.raises(UsageError) as refused:
        check_training_seeds(first, count)
    assert refused.value.facts["seed"] == first
