"""How two policies fared on the same starts: the paired 2x2 table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, kw_only=True)
class PairedCounts:
    """Episodes that both policies played from the same start, by who succeeded.

    Attributes:
        both: Both succeeded.
        only_a: The first succeeded, the second did not.
        only_b: The second succeeded, the first did not.
        neither: Neither succeeded.
    """

    both: int
    only_a: int
    only_b: int
    neither: int

    @classmethod
    def of(cls, successes: Sequence[tuple[bool, bool]]) -> Self:
        """Count pairs (the first succeeded, the second succeeded)."""
        return cls(
            both=successes.count((True, True)),
            only_a=successes.count((True, False)),
            only_b=successes.count((False, True)),
            neither=successes.count((False, False)),
        )

    @property
    def pairs(self) -> int:
        return self.both + self.only_a + self.only_b + self.neither

    @property
    def discordant(self) -> int:
        """Pairs in which one succeeded and the other did not: all that a paired test looks at."""
        return self.only_a + self.only_b

    @property
    def successes_a(self) -> int:
        return self.both + self.only_a

    @property
    def successes_b(self) -> int:
        return self.both + self.only_b

    @property
    def difference(self) -> float:
        """Success rate of the first less that of the second, -1 to 1."""
        return (self.only_a - self.only_b) / self.pairs
