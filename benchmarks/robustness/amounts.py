"""How many episodes each cell of a robustness benchmark gets."""

from collections.abc import Mapping, Sequence
from itertools import count

from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.row import EpisodeKey, EpisodeRow
from ambidex.benchmarks.robustness.folder import Cell, RobustnessFolder
from ambidex.benchmarks.robustness.libero_plus import FULL, episodes_of, variants_suite
from ambidex.benchmarks.statistics.paired import holm
from ambidex.benchmarks.statistics.sequential import SequentialTest
from ambidex.benchmarks.statistics.summary import ALPHA
from ambidex.envs.perturbations.perturbation import LIBERO_PLUS
from ambidex.errors import UsageError

DEFAULT_EPISODES = 20
BATCH = 5  # seeds of every cell at first, and of one cell at a time later, where a budget goes to open cells
ANY_TIME_LEGEND = (
    "Cells whose decision was open got more seeds (--spend where-open), so numbers of pairs depend on outcomes. p is "
    "that of a sequential test, corrected by Holm for all rows of the table, and the interval of a level's change is "
    "its anytime-valid one. Both hold for any number of pairs, however it was chosen; the intervals are not "
    "simultaneous. McNemar's test, Tango's interval and the detectable change would not hold, and are left out. "
    "Intervals of rates, and of means of levels and axes, assume a number of seeds that was chosen beforehand, so here "
    "they are approximate."
)


def episodes_of_cells(config: BenchmarkConfig, cells: Sequence[Cell], tasks: int) -> dict[Cell, int]:
    """Cell -> episodes of each task, the clean one first; as many as the budget allows, if there is one.

    Raises:
        UsageError: The budget is too small.
    """
    budget = config.budget
    if budget is None:
        default = FULL if config.protocol == LIBERO_PLUS else DEFAULT_EPISODES
        return _shares(config, cells, config.episodes or default)
    least = tasks * sum(_shares(config, cells, 1).values())
    if budget < least:
        problem = f"--budget {budget}: one episode of each task, clean and in {len(cells)} cells, is {least}."
        hint = f"Give {least} or more, or fewer --axes or --levels."
        raise UsageError(problem, hint, field="budget", got=budget, expected=least)
    fits = (each for each in count(1) if tasks * sum(_shares(config, cells, each + 1).values()) > budget)
    return _shares(config, cells, next(fits))


def _shares(config: BenchmarkConfig, cells: Sequence[Cell], each: int) -> dict[Cell, int]:
    """Cell -> episodes of each task: `each`, or under LIBERO-plus's protocol its share of the variants."""
    if config.protocol != LIBERO_PLUS:
        return dict.fromkeys((Cell(), *cells), each)
    suite = variants_suite(str(config.task))
    found = {cell: episodes_of(cell.axis, cell.level, suite, each) for cell in cells}
    return {Cell(): max(1, *found.values()), **found}


class WhereOpen:
    """Spends a budget where it is open whether success changes: `--spend where-open`.

    Every cell begins with `BATCH` seeds. A cell is decided when its sequential test, corrected by Holm for all cells,
    shows a change; it then gets no more seeds (action elimination: E. Even-Dar, S. Mannor, Y. Mansour, JMLR 7, 2006).
    The next batch goes to the open cell whose interval of the change is the widest (uncertainty sampling: D. Lewis,
    W. Gale, SIGIR 1994), and to the clean episodes if these are too few. Each cell has the first seeds of the list.
    The same outcomes give the same decisions, so an interrupted run is resumed with the cells that it would have run.

    Args:
        config: The flags, with a budget.
        folder: The results.
        cells: All cells but the clean one.

    Attributes:
        planned: Cell -> episodes of each task so far, the clean one first.

    Raises:
        UsageError: The budget is too small for the first seeds.
    """

    def __init__(self, config: BenchmarkConfig, folder: RobustnessFolder, cells: Sequence[Cell]) -> None:
        self._folder, self._first, self._budget = folder, config.seed, config.budget or 0
        self._tasks = len(folder.results(Cell()).info.env_specs)
        self._tests: dict[tuple[Cell, int], SequentialTest | None] = {}
        self.planned: Mapping[Cell, int] = dict.fromkeys((Cell(), *cells), BATCH)
        if self.spent > self._budget:
            problem = f"--budget {config.budget}: {BATCH} episodes of each task, clean and in {len(cells)} cells, are"
            hint = f"Give {self.spent} or more, fewer --axes or --levels, or --spend evenly."
            raise UsageError(f"{problem} {self.spent}.", hint, field="budget", got=config.budget, expected=self.spent)

    @property
    def spent(self) -> int:
        """Episodes that are planned so far."""
        return self._tasks * sum(self.planned.values())

    def extend(self) -> Cell | None:
        """Plan the next batch, after all that is planned has run; returns its cell, or None if there is none."""
        found = {cell: test for cell in self.planned if cell != Cell() and (test := self._test(cell))}
        corrected = holm([test.p_value for test in found.values()])
        still_open = [cell for cell, p in zip(found, corrected, strict=True) if p > ALPHA]
        if not still_open:
            return None
        cell = max(still_open, key=lambda cell: found[cell].high - found[cell].low)
        longer = self.planned[cell] + BATCH
        before, clean = self.planned, max(self.planned[Cell()], longer)
        self.planned = {**before, Cell(): clean, cell: longer}
        if self.spent <= self._budget:
            return cell
        self.planned = before
        return None

    def is_run(self, cell: Cell) -> bool:
        """Whether the planned episodes of a cell are stored, those of the expert among them."""
        policy, expert = self._folder.results(cell), self._folder.expert_results(cell)
        stores = (policy, expert) if self._folder.needs_expert(cell) else (policy,)
        return all(len(self._planned_of(cell, results)) == self._tasks * self.planned[cell] for results in stores)

    def _test(self, cell: Cell) -> SequentialTest | None:
        """The test of the planned episodes; None if some are missing, after errors, or all are infeasible."""
        key = (cell, self.planned[cell])
        if key not in self._tests:
            pairs = self._pairs(cell) if self.is_run(cell) else []
            self._tests[key] = SequentialTest.of(pairs, alpha=ALPHA) if pairs else None
        return self._tests[key]

    def _pairs(self, cell: Cell) -> list[tuple[bool, bool]]:
        """Successes of the perturbed and the clean episode, by seed and then task."""
        perturbed = self._planned_of(cell, self._folder.results(cell))
        clean = self._planned_of(Cell(), self._folder.results(Cell()))
        keys = sorted(perturbed.keys() & clean.keys() - self._folder.infeasible(cell), key=lambda key: (key[1], key[0]))
        return [(perturbed[key].success, clean[key].success) for key in keys]

    def _planned_of(self, cell: Cell, results: ResultsFolder) -> dict[EpisodeKey, EpisodeRow]:
        last = self._first + self.planned[cell]
        return {row.key: row for row in results.rows if row.seed < last}
