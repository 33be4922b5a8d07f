"""Means of what agents did, over the episodes of a results folder."""

from collections.abc import Iterable

from ambidex.benchmarks.results.row import EpisodeRow
from ambidex.benchmarks.statistics.mean import Mean


def behaviour_means(rows: Iterable[EpisodeRow]) -> dict[str, Mean]:
    """Each number of `Behaviour.numbers` -> its mean over the episodes that have it."""
    found: dict[str, list[float]] = {}
    for row in rows:
        for name, number in row.behaviour.numbers.items() if row.behaviour else ():
            found.setdefault(name, []).append(number)
    return {name: Mean.of(numbers) for name, numbers in found.items()}
