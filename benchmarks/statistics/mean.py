"""The mean of a number over episodes, with Student's t interval."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from ambidex.intervals import TAIL


@dataclass(frozen=True, kw_only=True)
class Mean:
    """A mean over episodes.

    Attributes:
        mean: The mean.
        interval: Its 95 % interval; None if that is unknown, with one episode or if all numbers are equal.
        episodes: Over how many episodes.
    """

    mean: float
    interval: tuple[float, float] | None
    episodes: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Of one number for each episode.

        Raises:
            ValueError: There are no episodes.
        """
        from scipy.special import stdtrit  # heavy

        count = len(values)
        if not count:
            raise ValueError("A mean of no episodes.")
        mean = sum(values) / count
        variance = sum((value - mean) ** 2 for value in values) / max(1, count - 1)
        half = float(stdtrit(max(1, count - 1), 1 - TAIL)) * (variance / count) ** 0.5
        equal = min(values) == max(values)
        return cls(mean=mean, interval=None if equal else (mean - half, mean + half), episodes=count)


def means_by_name(numbers: Iterable[Mapping[str, float]]) -> dict[str, Mean]:
    """Name -> mean over the episodes that have a number of this name."""
    found: dict[str, list[float]] = {}
    for each in numbers:
        for name, number in each.items():
            found.setdefault(name, []).append(number)
    return {name: Mean.of(values) for name, values in found.items()}
