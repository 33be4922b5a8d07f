"""Compact letter display: policies that share a letter are not shown to differ."""

from collections.abc import Collection
from string import ascii_letters


def compact_letters(count: int, different: Collection[tuple[int, int]]) -> list[str]:
    """The letters of each policy, such as "a", "ab" and "b".

    Two policies have a letter in common exactly if they are not shown to differ. The insert-and-absorb algorithm of
    H.-P. Piepho, "An algorithm for a letter-based representation of all-pairwise comparisons", Journal of Computational
    and Graphical Statistics 13 (2004).

    Args:
        count: Number of policies; the best should be the first, so that it has the letter "a".
        different: Pairs of policies, by index, that are shown to differ.
    """
    columns = [frozenset(range(count))]
    for pair in different:
        split = [part for column in columns for part in _without_both(column, pair)]
        columns = [each for each in dict.fromkeys(split) if not any(each < other for other in split)]
    columns.sort(key=sorted)
    return ["".join(_letter(k) for k, column in enumerate(columns) if index in column) for index in range(count)]


def _without_both(column: frozenset[int], pair: tuple[int, int]) -> list[frozenset[int]]:
    """The column, or in its place two of which each lacks one of the pair."""
    return [column - {index} for index in pair] if column.issuperset(pair) else [column]


def _letter(index: int) -> str:
    """The name of a column; a number in brackets after 52 letters."""
    return ascii_letters[index] if index < len(ascii_letters) else f"[{index + 1}]"
