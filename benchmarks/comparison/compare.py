"""Compares results folders, every two of them on the episodes that both have.

`compare` is what `compare-policies` does, from Python.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import comb
from string import ascii_uppercase
from typing import Self

from ambidex.benchmarks.comparison.config import CompareConfig
from ambidex.benchmarks.comparison.folder import ComparedFolder
from ambidex.benchmarks.results.row import EpisodeKey, EpisodeRow, format_episodes
from ambidex.benchmarks.results.tally import Tally
from ambidex.benchmarks.statistics.paired import holm
from ambidex.benchmarks.statistics.summary import PairedStatistics
from ambidex.benchmarks.statistics.text import difference_text, p_equation
from ambidex.envs.perturbations.registry import axes_of_initial_states
from ambidex.errors import DatasetError, UsageError

SAME_IN_BOTH = (
    *("family", "robot", "control_hz", "horizon", "spread", "stages", "object_names", "success"),
    *("settle_steps", "settle_gripper", "dynamics", "instruction_source"),
)
"""Fields of a spec that must agree. The others, such as control mode and cameras, are the policy's choice."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two results folders on the episodes that both have. As text it says which policy is better, and how certainly.

    Attributes:
        a: One folder.
        b: The other; differences are A minus B.
        episodes: The compared episodes, in the order of the sequential test.
        together: Statistics of all tasks together.
        tasks: Task -> statistics of its episodes.
        only_in_a: Episodes that B lacks; not compared.
        only_in_b: Episodes that A lacks; not compared.
    """

    a: ComparedFolder
    b: ComparedFolder
    episodes: tuple[EpisodeKey, ...]
    together: PairedStatistics
    tasks: Mapping[str, PairedStatistics]
    only_in_a: tuple[EpisodeKey, ...]
    only_in_b: tuple[EpisodeKey, ...]

    @classmethod
    def of(cls, a: ComparedFolder, b: ComparedFolder, config: CompareConfig) -> Self:
        """Compare two of the folders of a command; raises as `common_episodes` does."""
        episodes = common_episodes(a, b)
        names, pairs = sorted({task for task, _ in episodes}), comb(len(config.results), 2)

        def statistics(keys: Sequence[EpisodeKey], tests: int) -> PairedStatistics:
            successes = [(a.rows[key].success, b.rows[key].success) for key in keys]
            return PairedStatistics.of(successes, difference=config.difference, power=config.power, tests=tests)

        return cls(
            a=a,
            b=b,
            episodes=tuple(episodes),
            together=statistics(episodes, pairs),
            tasks={name: statistics([key for key in episodes if key[0] == name], pairs * len(names)) for name in names},
            only_in_a=tuple(sorted(set(a.rows) - set(b.rows))),
            only_in_b=tuple(sorted(set(b.rows) - set(a.rows))),
        )

    def __str__(self) -> str:
        """Which policy is better over all tasks together, with the difference and its p-value."""
        statistics = self.together
        first, second = (self.b, self.a) if statistics.better == "b" else (self.a, self.b)
        sign = -1 if statistics.better == "b" else 1
        holm = f" after Holm's correction for {statistics.tests} comparisons" if statistics.tests > 1 else ""
        difference = difference_text(statistics, sign=sign).replace("]", "] points", 1)
        p, episodes = p_equation(statistics.corrected_p), statistics.counts.pairs
        result = f"{difference}, exact McNemar {p}{holm}, {episodes} episodes."
        if statistics.better:
            return f"{first.title} is better than {second.title}: difference {result}"
        names = f"{first.letter} minus {second.letter}"
        return f"No difference shown between {first.title} and {second.title}: {names} is {result}"

    def __repr__(self) -> str:
        return f"<Comparison: {self}>"

    def pairs(self, task: str | None = None) -> list[tuple[EpisodeRow, EpisodeRow]]:
        """The rows of A and B of the compared episodes, of one task or of all."""
        return [(self.a.rows[key], self.b.rows[key]) for key in self.episodes if task in (None, key[0])]

    def tally(self, folder: ComparedFolder, task: str | None = None) -> Tally:
        """Tally of a folder's compared episodes, of one task or of all."""
        return Tally.of([folder.rows[key] for key in self.episodes if task in (None, key[0])])


def compare(config: CompareConfig) -> list[Comparison]:
    """Compare every two folders, in the order given.

    Holm's correction covers all comparisons of all tasks together, and separately those of single tasks.

    Returns:
        One `Comparison` for each pair: A and B, A and C, ..., B and C, ...

    Raises:
        UsageError: Fewer than two folders, the same folder twice, or a number out of range.
        DatasetError: A folder is missing or damaged, or two have different settings or initial states.
    """
    _check(config)
    folders = [ComparedFolder.read(letter, path) for letter, path in zip(ascii_uppercase, config.results, strict=False)]
    comparisons = [Comparison.of(a, b, config) for a, b in combinations(folders, 2)]
    together = _corrected([comparison.together for comparison in comparisons])
    single = iter(_corrected([task for comparison in comparisons for task in comparison.tasks.values()]))
    return [
        replace(comparison, together=overall, tasks={name: next(single) for name in comparison.tasks})
        for comparison, overall in zip(comparisons, together, strict=True)
    ]


def _corrected(tests: Sequence[PairedStatistics]) -> list[PairedStatistics]:
    ps, anytime = holm([test.exact_p for test in tests]), holm([test.sequential.p_value for test in tests])
    return [
        replace(test, corrected_p=p, corrected_anytime_p=any_p)
        for test, p, any_p in zip(tests, ps, anytime, strict=True)
    ]


def _check(config: CompareConfig) -> None:
    folders = config.results
    if not 2 <= len(folders) <= len(ascii_uppercase):
        given = f"only {folders[0]}" if len(folders) == 1 else str(len(folders))
        problem = f"Expected 2 to {len(ascii_uppercase)} results folders, got {given}."
        raise UsageError(problem, "Name them, e.g. results/act results/scripted.", got=folders)
    for one, other in combinations(folders, 2):
        if one.resolve() == other.resolve():
            raise UsageError(f"{one} and {other} are the same folder.", "Give folders of different runs.", path=other)
    if not 0.01 <= config.difference <= 1:
        problem = f"--difference {config.difference}: expected 0.01 to 1; 0.1 is 10 points."
        raise UsageError(problem, field="difference", got=config.difference)
    if not 0.5 <= config.power <= 0.99:
        raise UsageError(f"--power {config.power}: expected 0.5 to 0.99.", field="power", got=config.power)


def common_episodes(a: ComparedFolder, b: ComparedFolder) -> list[EpisodeKey]:
    """Episodes that both folders have, by seed and then task: an order that does not depend on outcomes.

    By seed first, so that a benchmark that is extended by more seeds only appends to it.

    Raises:
        DatasetError: There are none, they are the same run, tasks had different settings, or episodes different initial
            states.
    """
    common = sorted(set(a.rows) & set(b.rows), key=lambda key: (key[1], key[0]))
    if not common:
        held = ", ".join(f"{folder.letter} has {format_episodes(folder.rows)}" for folder in (a, b))
        problem = f"{a.title} and {b.title} have no episode in common: {held}."
        raise DatasetError(problem, "Run the benchmark again with the same --task or --suite and --seed.")
    for task in sorted({task for task, _ in common} & set(a.specs) & set(b.specs)):
        _check_settings(a, b, task)
    _check_initial_states(a, b, common)
    if a.specs == b.specs and all(a.rows[key] == b.rows[key] for key in common):
        problem = f"{b.title} is a copy of {a.title}: their common episodes are the same, even in the time they took."
        raise DatasetError(problem, "Give the results of another run.", path=b.results.path, got=common)
    return common


def _check_settings(a: ComparedFolder, b: ComparedFolder, task: str) -> None:
    spec_a, spec_b = a.specs[task], b.specs[task]
    differences = [
        f"{name} {getattr(spec_a, name)!r} in {a.letter} and {getattr(spec_b, name)!r} in {b.letter}"
        for name in SAME_IN_BOTH
        if getattr(spec_a, name) != getattr(spec_b, name)
    ]
    if spec_a.definition_differs(spec_b):
        hashes = f"{spec_a.definition_sha256} in {a.letter} and {spec_b.definition_sha256} in {b.letter}"
        differences.append(f"definition_sha256 {hashes}")
    if differences:
        problem = f"{a.title} and {b.title} have different settings of {task}: {'; '.join(differences)}."
        raise DatasetError(problem, "Run both with the same flags.", task=task, got=differences)


def _check_initial_states(a: ComparedFolder, b: ComparedFolder, common: Sequence[EpisodeKey]) -> None:
    expected_same = [key for key in common if _changes_of_start(a, key[0]) == _changes_of_start(b, key[0])]
    different = [key for key in expected_same if _initial_states_differ(a.rows[key], b.rows[key])]
    if different:
        task, seed = different[0]
        versions = "; ".join(version_differences(a, b)) or "none differ"
        problem = (
            f"{a.title} and {b.title} have different initial states in {len(different)} of {len(common)} common "
            f"episodes, e.g. {task} seed {seed} (versions: {versions})."
        )
        hint = "Run both with the same flags and the same installation."
        raise DatasetError(problem, hint, task=task, seed=seed, got=different)


def _changes_of_start(folder: ComparedFolder, task: str) -> tuple[str, ...]:
    """Perturbations of a task's initial states."""
    spec = folder.specs.get(task)
    return axes_of_initial_states(spec.perturb, spec.settle_steps) if spec else ()


def _initial_states_differ(a: EpisodeRow, b: EpisodeRow) -> bool:
    """An episode whose reset failed has no initial state, and differs from no other."""
    return a.has_states and b.has_states and a.initial_state_sha256 != b.initial_state_sha256


def version_differences(a: ComparedFolder, b: ComparedFolder) -> list[str]:
    """One phrase for each package whose version differs."""
    of_a, of_b = a.versions, b.versions
    return [
        f"{package} {of_a.get(package, 'none')} in {a.letter} and {of_b.get(package, 'none')} in {b.letter}"
        for package in sorted({*of_a, *of_b})
        if of_a.get(package) != of_b.get(package)
    ]


def model_differences(comparison: Comparison) -> list[str]:
    """Tasks whose compared episodes were run in different models of robot, objects or scene."""
    rows = [(comparison.a.rows[key], comparison.b.rows[key]) for key in comparison.episodes]
    return sorted({a.task for a, b in rows if a.model_sha256 and b.model_sha256 and a.model_sha256 != b.model_sha256})
