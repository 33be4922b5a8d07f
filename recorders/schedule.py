"""Which seed to roll out next, and which episode number a success gets: pure functions of the outcomes."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Payload = TypeVar("Payload")


@dataclass(frozen=True, kw_only=True)
class Decided(Generic[Payload]):
    """An attempt whose place in the dataset is settled.

    Attributes:
        seed: Episode seed.
        episode: Episode number; None for a failure.
        payload: What came with the outcome.
    """

    seed: int
    episode: int | None
    payload: Payload


class Schedule(Generic[Payload]):
    """Seeds first, first + 1, ... until enough have succeeded.

    Outcomes may come in any order and are settled in the order of seeds, so episode numbers do not depend on who
    finishes first. No seed is given out that might not be needed, so what was attempted does not depend on it either:
    a seed is needed only if fewer than `wanted` would have succeeded before it, should all those still open succeed.

    Attributes:
        attempted: Seeds settled.
        successes: Those of them that succeeded.
    """

    def __init__(
        self, *, first_seed: int, wanted: int, max_attempts: int, attempted: int = 0, successes: int = 0
    ) -> None:
        self.attempted = attempted
        self.successes = successes
        self._first = first_seed
        self._wanted = wanted
        self._max_attempts = max_attempts
        self._next = first_seed + attempted
        self._open: set[int] = set()
        self._early: dict[int, tuple[bool, Payload]] = {}

    @property
    def complete(self) -> bool:
        """Enough have succeeded."""
        return self.successes >= self._wanted

    def next_seed(self) -> int | None:
        """A seed to roll out now; None if there is none that will surely be needed."""
        possible = self.successes + len(self._open) + sum(success for success, _ in self._early.values())
        if possible >= self._wanted or self._next >= self._first + self._max_attempts:
            return None
        self._open.add(self._next)
        self._next += 1
        return self._next - 1

    def finish(self, seed: int, success: bool, payload: Payload) -> list[Decided[Payload]]:
        """Take in an outcome; returns the attempts that it settles, in the order of their seeds."""
        self._open.remove(seed)
        self._early[seed] = (success, payload)
        settled = []
        while (current := self._first + self.attempted) in self._early:
            settled.append(self._settle(current, *self._early.pop(current)))
        return settled

    def _settle(self, seed: int, success: bool, payload: Payload) -> Decided[Payload]:
        decided = Decided(seed=seed, episode=self.successes if success else None, payload=payload)
        self.attempted += 1
        self.successes += success
        return decided
