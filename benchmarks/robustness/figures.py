"""The figures of a robustness benchmark: of each cell against its clean twin, of each axis, and of all together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from ambidex.benchmarks.comparison.compare import common_episodes
from ambidex.benchmarks.comparison.folder import ComparedFolder
from ambidex.benchmarks.evaluation.resume import policy_differences
from ambidex.benchmarks.results.row import EpisodeKey, EpisodeRow
from ambidex.benchmarks.results.tally import Tally
from ambidex.benchmarks.robustness.folder import WHERE_OPEN, Cell, RobustnessFolder
from ambidex.benchmarks.statistics.mean import Mean
from ambidex.benchmarks.statistics.paired import PairedCounts, difference_interval
from ambidex.benchmarks.statistics.sample_size import detectable_difference
from ambidex.benchmarks.statistics.summary import ALPHA, PairedStatistics
from ambidex.envs.perturbations.perturbation import Level
from ambidex.envs.perturbations.registry import EVENT, axes_of_initial_states, event_step
from ambidex.errors import DatasetError

POWER = 0.8
Seeds = Mapping[EpisodeKey, float]
"""Episode -> a number, such as 1 for a success less 1 for the clean one's."""


@dataclass(frozen=True, kw_only=True)
class CellFigure:
    """Perturbed episodes and their clean twins.

    Attributes:
        cell: Axis and level.
        pairs: The pairs that are compared: not those whose perturbed episode the expert does not solve.
        infeasible: How many pairs those are.
        together: Outcomes of all perturbed episodes, those among them.
        statistics: Perturbed minus clean; None without pairs.
        perturbed: Outcomes of the perturbed episodes.
        clean: Of their twins.
        changes_initial_states: Whether the axis does.
        any_time: Whether the number of pairs may depend on their outcomes, see `WhereOpen`.
        sent: Part of the first request to the policy -> in how many pairs it differs; empty if that is not stored.
    """

    cell: Cell
    pairs: Mapping[EpisodeKey, tuple[EpisodeRow, EpisodeRow]]
    infeasible: int
    together: Tally
    statistics: PairedStatistics | None
    perturbed: Tally
    clean: Tally
    changes_initial_states: bool
    any_time: bool
    sent: Mapping[str, int]

    @classmethod
    def of(cls, folder: RobustnessFolder, cell: Cell, tests: int) -> Self:
        """Read a cell that has episodes.

        Raises:
            DatasetError: A folder is damaged, or the episodes do not belong to the clean ones.
        """
        perturbed = ComparedFolder.read("A", folder.results(cell).path)
        clean = ComparedFolder.read("B", folder.results(Cell()).path)
        infeasible = folder.infeasible(cell)
        keys = common_episodes(perturbed, clean)
        if different := policy_differences(clean.results.info, perturbed.results.info):
            problem = f"{perturbed.results.path} and {clean.results.path} have different policies: {different[0]}."
            raise DatasetError(problem, "Remove the former and resume the benchmark.", path=perturbed.results.path)
        pairs = {key: (perturbed.rows[key], clean.rows[key]) for key in keys if key not in infeasible}
        successes = [(one.success, other.success) for one, other in pairs.values()]
        return cls(
            cell=cell,
            pairs=pairs,
            infeasible=len(infeasible.intersection(keys)),
            together=Tally.of([perturbed.rows[key] for key in keys]),
            statistics=PairedStatistics.of(successes, tests=tests) if successes else None,
            perturbed=Tally.of([one for one, _ in pairs.values()]),
            clean=Tally.of([other for _, other in pairs.values()]),
            changes_initial_states=any(
                axes_of_initial_states(spec.perturb, spec.settle_steps) for spec in perturbed.specs.values()
            ),
            any_time=folder.config.spend == WHERE_OPEN,
            sent=_differences(list(pairs.values())),
        )

    @property
    def changes(self) -> Seeds:
        """Episode -> 1 if only the perturbed one succeeded, -1 if only the clean one did, else 0."""
        return {key: float(one.success) - float(other.success) for key, (one, other) in self.pairs.items()}

    @property
    def events(self) -> int | None:
        """In how many pairs the event has set in; None for other axes. The other pairs are equal by construction."""
        if self.cell.axis != EVENT:
            return None
        return sum(event_step(one.perturbed) is not None for one, _ in self.pairs.values())

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the change: Tango's, or one that is valid for any number of pairs, however it was chosen."""
        assert self.statistics is not None  # not for cells without pairs
        sequential = self.statistics.sequential
        return (sequential.low, sequential.high) if self.any_time else self.statistics.difference_interval

    @property
    def corrected_p(self) -> float:
        """The p value of the change after Holm's correction, valid likewise."""
        assert self.statistics is not None  # not for cells without pairs
        return self.statistics.corrected_anytime_p if self.any_time else self.statistics.corrected_p

    @property
    def detectable_drop(self) -> float | None:
        """The smallest true drop that this many pairs show with 80 % probability; None if none is large enough.

        Also None if the number of pairs depends on their outcomes.
        """
        if self.statistics is None or self.any_time:
            return None
        counts, tests = self.statistics.counts, self.statistics.tests
        return detectable_difference(counts.pairs, counts.discordant / counts.pairs, alpha=ALPHA / tests, power=POWER)


@dataclass(frozen=True, kw_only=True)
class Change:
    """The mean over episodes of a change of success, -1 to 1, with its 95 % interval."""

    mean: float
    interval: tuple[float, float]
    episodes: int

    @classmethod
    def of(cls, seeds: Seeds) -> Self:
        """Of one number for each episode: Student's t interval; with equal numbers that of paired equal outcomes.

        Levels of an axis share their clean twin, so they are averaged for each episode before.

        Raises:
            ValueError: There are no episodes.
        """
        found, count = Mean.of(list(seeds.values())), len(seeds)
        half = difference_interval(PairedCounts(both=count, only_a=0, only_b=0, neither=0))[1]
        low, high = found.interval or (found.mean - half, found.mean + half)
        return cls(mean=found.mean, interval=(max(-1.0, low), min(1.0, high)), episodes=count)

    @classmethod
    def of_means(cls, numbers: Sequence[Seeds]) -> Self | None:
        """Of each episode's mean of several numbers, see `mean_of`; None if no episode has all of them."""
        means = mean_of(numbers)
        return cls.of(means) if means else None


@dataclass(frozen=True, kw_only=True)
class AxisFigure:
    """All levels of an axis.

    Attributes:
        axis: The axis.
        cells: Its levels, those with pairs.
        rate: Mean over the levels of the success rate: the area below the curve of success against level.
        change: Mean change from the clean twins, over seeds that are feasible at all levels; None if there are none.
    """

    axis: str
    cells: Sequence[CellFigure]
    rate: float
    change: Change | None

    @classmethod
    def of(cls, axis: str, cells: Sequence[CellFigure]) -> Self:
        """Of cells that have pairs, one or more."""
        return cls(
            axis=axis,
            cells=cells,
            rate=sum(cell.perturbed.rate or 0.0 for cell in cells) / len(cells),
            change=Change.of_means([cell.changes for cell in cells]),
        )

    @property
    def changes(self) -> Seeds:
        """Episode -> mean change over the levels, of the episodes that are feasible at all of them."""
        return mean_of([cell.changes for cell in self.cells])

    @property
    def by_level(self) -> Mapping[Level, CellFigure]:
        return {cell.cell.level: cell for cell in self.cells}


def mean_of(numbers: Sequence[Seeds]) -> dict[EpisodeKey, float]:
    """The mean of each episode that all of the mappings have.

    An episode that is impossible at a high level would else count with its low levels only, and so as a smaller loss.
    """
    common = set[EpisodeKey].intersection(*(set(each) for each in numbers)) if numbers else set[EpisodeKey]()
    return {key: sum(each[key] for each in numbers) / len(numbers) for key in sorted(common)}


def _differences(pairs: Sequence[tuple[EpisodeRow, EpisodeRow]]) -> dict[str, int]:
    parts = sorted({part for pair in pairs for row in pair for part in row.first_request})
    return {part: sum(a.first_request.get(part) != b.first_request.get(part) for a, b in pairs) for part in parts}
