"""Two results folders, compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from ambidex.benchmarks.comparison.compare_starts import common_episodes, different_versions
from ambidex.benchmarks.comparison.compared_folder import ComparedFolder, Key
from ambidex.benchmarks.statistics import Statistics
from ambidex.envs.types import Outcome


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two results folders on the episodes they have in common.

    Attributes:
        a: One folder.
        b: The other; differences are A less B.
        episodes: The episodes compared, in the order in which the sequential test takes them.
        together: Over all tasks.
        tasks: Task -> over its episodes.
        only_in_a: Episodes that B lacks; not compared.
        only_in_b: Episodes that A lacks; not compared.
    """

    a: ComparedFolder
    b: ComparedFolder
    episodes: tuple[Key, ...]
    together: Statistics
    tasks: Mapping[str, Statistics]
    only_in_a: tuple[Key, ...]
    only_in_b: tuple[Key, ...]

    @classmethod
    def of(cls, a: ComparedFolder, b: ComparedFolder, *, difference: float, power: float, pairs: int) -> Self:
        """Compare two folders.

        Args:
            a: One folder.
            b: The other.
            difference: True difference that a longer benchmark should find, 0 to 1.
            power: How surely.
            pairs: Comparisons made together with this one.

        Raises:
            DatasetError: They have no episode in common, or did not start alike.
        """
        episodes = common_episodes(a, b)
        names = sorted({task for task, _ in episodes})

        def statistics(keys: list[Key], tests: int) -> Statistics:
            successes = [(a.rows[key].success, b.rows[key].success) for key in keys]
            return Statistics.of(successes, difference=difference, power=power, tests=tests)

        return cls(
            a=a,
            b=b,
            episodes=tuple(episodes),
            together=statistics(episodes, pairs),
            tasks={name: statistics([key for key in episodes if key[0] == name], pairs * len(names)) for name in names},
            only_in_a=tuple(sorted(set(a.rows) - set(b.rows))),
            only_in_b=tuple(sorted(set(b.rows) - set(a.rows))),
        )

    def errors(self, side: ComparedFolder, task: str | None = None) -> int:
        """Compared episodes in which `side` broke, of one task or of all. They count as not successful."""
        rows = [side.rows[key] for key in self.episodes if task in (None, key[0])]
        return sum(row.outcome is Outcome.ERROR for row in rows)

    @property
    def version_differences(self) -> list[str]:
        """One phrase per package whose version differs."""
        return different_versions(self.a, self.b)
