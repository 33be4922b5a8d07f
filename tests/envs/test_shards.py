"""Shards cover a list of work without overlap, and text names them or is refused."""

from itertools import chain

import pytest

from ambidex.envs.shards import Shard, common_items, missing_shards
from ambidex.errors import UsageError


@pytest.mark.parametrize("length", [0, 1, 2, 7, 50, 1000])
@pytest.mark.parametrize("count", [1, 2, 3, 16])
def test_shards_are_disjoint_and_cover_all_items(length: int, count: int) -> None:
    items = [f"item {k}" for k in range(length)]
    parts = [Shard(index, count).of(items) for index in range(1, count + 1)]
    assert sorted(chain.from_iterable(parts)) == sorted(items)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert all(part == sorted(part, key=items.index) for part in parts)


def test_the_order_of_the_shuffle_is_fixed() -> None:
    """Shards of different versions must not overlap, so this list may never change."""
    assert Shard(1, 3).of(range(12)) == [2, 3, 4, 6]


def test_every_shard_has_items_of_every_task() -> None:
    pairs = [(task, attempt) for task in range(4) for attempt in range(50)]
    for index in range(1, 9):
        assert {task for task, _ in Shard(index, 8).of(pairs)} == {0, 1, 2, 3}


def test_a_shard_is_written_as_it_is_parsed() -> None:
    shard = Shard.parse("3/16")
    assert (shard, str(shard), shard.label, shard.position) == (Shard(3, 16), "3/16", "shard-3-of-16", "3 of 16")
    assert Shard.parse("03/16") == shard
    assert Shard.parse("1/1") == Shard(1, 1)


def test_more_shards_than_items_are_refused_for_all_of_them() -> None:
    Shard(4, 4).check(4, "episode")
    for index in range(1, 6):
        with pytest.raises(UsageError, match="than episodes") as error:
            Shard(index, 5).check(4, "episode")
        assert error.value.facts == {"field": "shard", "got": f"{index}/5", "expected": 4}


@pytest.mark.parametrize(
    ("parts", "common"),
    [
        ([("a", [1, 2]), ("b", [3]), ("c", [])], None),
        ([("a", [1, 2]), ("b", [3, 4]), ("c", [4, 2, 3])], ("b", "c", [4, 3])),
        ([("a", [0]), ("a", [0])], ("a", "a", [0])),
    ],
)
def test_the_first_parts_with_common_items_are_found(
    parts: list[tuple[str, list[int]]], common: tuple[str, str, list[int]] | None
) -> None:
    assert common_items(parts) == common


@pytest.mark.parametrize(
    "text", ["0/4", "5/4", "x", "3", "", "1/0", "-1/4", "1/4/2", "1 /4", "1.0/4", "a/b", "1/4\n", "²/4"]
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as error:
        Shard.parse(text)
    assert error.value.facts == {"got": text, "expected": "I/N"}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([Shard(1, 3), Shard(3, 3)], "Shard 2 of 3 is missing."),
        ([Shard(2, 4)], "Shards 1, 3, 4 of 4 are missing."),
        ([Shard(2, 2), Shard(1, 2)], ""),
        ([Shard(1, 3), None], ""),
        ([], ""),
    ],
)
def test_missing_shards_are_named(found: list[Shard | None], expected: str) -> None:
    assert missing_shards(found) == expected
