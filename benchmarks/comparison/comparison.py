"""Two results folders, compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from ambidex.benchmarks.comparison.folder import ComparedFolder, Key
from ambidex.benchmarks.results.reading import format_seeds
from ambidex.benchmarks.statistics.summary import PairedStatistics
from ambidex.envs.types import Outcome
from ambidex.errors import DatasetError


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
    together: PairedStatistics
    tasks: Mapping[str, PairedStatistics]
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

        def statistics(keys: list[Key], tests: int) -> PairedStatistics:
            successes = [(a.rows[key].success, b.rows[key].success) for key in keys]
            return PairedStatistics.of(successes, difference=difference, power=power, tests=tests)

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


# FOLDED benchmarks.comparison.compare_starts: Two episodes are a pair only if they began alike.

PROBLEM = (
    *("family", "robot", "control_hz", "horizon", "spread", "stages", "object_names", "success"),
    *("settle_steps", "settle_gripper"),
)
"""Fields of a spec that make the problem. Others (control mode, cameras) are the policy's choice."""


def common_episodes(a: ComparedFolder, b: ComparedFolder) -> list[Key]:
    """Episodes that both folders hold, by seed and then task: an order that outcomes have no part in.

    By seed first, so that a benchmark that is extended by more seeds only appends to it.

    Raises:
        DatasetError: There is none, the tasks were posed differently, or a (task, seed) began differently.
    """
    common = sorted(set(a.rows) & set(b.rows), key=lambda key: (key[1], key[0]))
    if not common:
        raise DatasetError(
            f"{a.title} and {b.title} have no episode in common: {_held(a)}, {_held(b)}. A paired comparison needs the "
            "same tasks and seeds; run the benchmark again with the same --task or --suite and --seed."
        )
    _check_problem(a, b, {task for task, _ in common})
    _check_starts(a, b, common)
    return common


def _check_problem(a: ComparedFolder, b: ComparedFolder, tasks: set[str]) -> None:
    for task in sorted(tasks & set(a.specs) & set(b.specs)):
        of_a, of_b = a.specs[task], b.specs[task]
        differences = [
            f"{name} {getattr(of_a, name)!r} in {a.letter} and {getattr(of_b, name)!r} in {b.letter}"
            for name in PROBLEM
            if getattr(of_a, name) != getattr(of_b, name)
        ]
        if of_a.definition_differs(of_b):
            differences.append(
                f"definition {of_a.definition_sha256} in {a.letter}, {of_b.definition_sha256} in {b.letter}"
            )
        if differences:
            raise DatasetError(
                f"{a.title} and {b.title} are not the same benchmark of {task}: {'; '.join(differences)}. Run both "
                "with the same flags."
            )


def _check_starts(a: ComparedFolder, b: ComparedFolder, common: list[Key]) -> None:
    other = [key for key in common if _began_differently(a, b, key)]
    if other:
        task, seed = other[0]
        versions = "; ".join(different_versions(a, b)) or "none differ"
        raise DatasetError(
            f"{a.title} and {b.title} did not start alike: in {len(other)} of {len(common)} common episodes, e.g. "
            f"{task} seed {seed}, initial_state_sha256 differs, so they are no pairs. Expected one start for each "
            f"(task, seed), given by the same spread, model and versions (versions: {versions}). Run both with the "
            "same flags and the same installation."
        )


def _began_differently(a: ComparedFolder, b: ComparedFolder, key: Key) -> bool:
    """An episode that broke before it began has no start, and differs from none."""
    starts = {side.rows[key].initial_state_sha256 for side in (a, b)} - {""}
    return len(starts) > 1


def different_versions(a: ComparedFolder, b: ComparedFolder) -> list[str]:
    """One phrase per package whose version differs."""
    of_a, of_b = a.versions, b.versions
    return [
        f"{package} {of_a.get(package, 'none')} in {a.letter} and {of_b.get(package, 'none')} in {b.letter}"
        for package in sorted({*of_a, *of_b})
        if of_a.get(package) != of_b.get(package)
    ]


def _held(side: ComparedFolder) -> str:
    return f"{side.letter} has {format_seeds(list(side.rows))}"
