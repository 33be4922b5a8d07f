"""What came of making videos."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ambidex.benchmarks.unfilmed import Unfilmed


@dataclass(frozen=True, kw_only=True)
class Films:
    """What came of making videos.

    Attributes:
        made: The videos that were made.
        unfilmed: The episodes of which none can be made, by task and seed.
    """

    made: tuple[Path, ...] = ()
    unfilmed: tuple[Unfilmed, ...] = ()

    @classmethod
    def of(cls, results: Iterable[Path | Unfilmed]) -> Self:
        """Of results in any order."""
        made, unfilmed = list[Path](), list[Unfilmed]()
        for result in results:
            if isinstance(result, Unfilmed):
                unfilmed.append(result)
            else:
                made.append(result)
        return cls(made=tuple(made), unfilmed=tuple(sorted(unfilmed, key=lambda one: (one.task, one.seed))))
