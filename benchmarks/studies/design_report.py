"""The report of a design study: rates of all cells, paired tests of cells that differ in one setting, and a picture."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ambidex.atomic_files import write_json, write_text
from ambidex.benchmarks.comparison.compare import common_episodes
from ambidex.benchmarks.comparison.folder import ComparedFolder
from ambidex.benchmarks.export.figure import write_bars
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.tally import Tally
from ambidex.benchmarks.speed.machine import describe_machine
from ambidex.benchmarks.statistics.paired import holm
from ambidex.benchmarks.statistics.summary import PairedStatistics
from ambidex.benchmarks.statistics.text import difference_text, p_text
from ambidex.benchmarks.studies.design_plan import DesignPlan, StudyCell
from ambidex.benchmarks.studies.job_runner import StudyRunner
from ambidex.output_folder import TRAINING_PACKAGES, versions
from ambidex.recorders.inspection.chart import INK

RATES = (
    "Rates with Wilson's 95 % intervals. They are of these trainings: another training of the same settings can differ."
)
DIFFERENCES = (
    "Differences are the first minus the second, in points, over all tasks and trainings together, on common seeds, "
    "with Tango's 95 % interval; p is of the exact McNemar test, corrected by Holm for all rows of the table."
)


@dataclass(frozen=True, kw_only=True)
class CellFigure:
    """What was measured of a cell.

    Attributes:
        settings: Setting -> value.
        implied: Settings that follow from these, in words; empty if there are none.
        tasks: Task -> counts over the episodes of all trainings.
        together: Counts over all tasks.
        training_s: Wall-clock time of its trainings together, start-up included [s].
    """

    settings: Mapping[str, str]
    implied: str
    tasks: Mapping[str, Tally]
    together: Tally
    training_s: float


@dataclass(frozen=True, kw_only=True)
class PairFigure:
    """Two cells that differ in one setting, on the same episodes: `first` and `second` are its values."""

    setting: str
    first: str
    second: str
    others: str
    statistics: PairedStatistics


@dataclass(frozen=True, kw_only=True)
class DesignReport:
    """Everything that a study has measured so far.

    Attributes:
        about: What all cells have in common, by name.
        date: When it was written.
        command: The command line.
        machine: Hardware and versions.
        cells: The cells whose benchmarks are complete.
        pairs: Paired tests between them.
        left_out: Combinations that the policy refuses -> why.
        failed: Job -> why it failed.
        missing: Jobs that have not run yet.
    """

    about: Mapping[str, str]
    date: str
    command: str
    machine: Mapping[str, Mapping[str, str | float]]
    cells: Sequence[CellFigure]
    pairs: Sequence[PairFigure]
    left_out: Mapping[str, str]
    failed: Mapping[str, str]
    missing: Sequence[str]

    def write(self, folder: Path) -> None:
        """Write report.md and report.json."""
        write_text(folder / "report.md", self.markdown() + "\n")
        write_json(folder / "report.json", {"complete": not self.missing and not self.failed, **asdict(self)})

    def markdown(self) -> str:
        """What the study is of, both tables, and below them what is missing."""
        return "\n".join([*self._head(), "", *self._body()])

    def _head(self) -> list[str]:
        packages = ", ".join(f"{name} {version}" for name, version in self.machine["versions"].items())
        facts = {**self.about, "versions": packages, "command": f"`{self.command}`"}
        return [
            f"# Design study of {self.about['policy']}, {self.date}",
            "",
            *(f"- {name}: {fact}" for name, fact in facts.items()),
        ]

    def _body(self) -> list[str]:
        rest = [f"Left out: {name} ({reason})" for name, reason in self.left_out.items()]
        rest += [f"Failed: {name} ({reason})" for name, reason in self.failed.items()]
        rest += [f"Still to be run: {', '.join(self.missing)}"] if self.missing else []
        if not self.cells:
            return ["No cell is complete yet.", *rest]
        pairs = [*self._pair_table(), "", DIFFERENCES, ""] if self.pairs else []
        implied = [f"{', '.join(cell.settings.values())}: with {cell.implied}." for cell in self.cells if cell.implied]
        return [*self._cell_table(), "", *pairs, RATES, *implied, *rest]

    def _cell_table(self) -> list[str]:
        tasks = list(self.cells[0].tasks)
        together = ["all tasks"] if len(tasks) > 1 else []
        rows = [
            (
                *(*cell.settings.values(), *map(str, cell.tasks.values())),
                *([str(cell.together)] if together else []),
                f"{cell.training_s / 60:.1f}",
            )
            for cell in self.cells
        ]
        return _table((*self.cells[0].settings, *tasks, *together, "training [min]"), rows)

    def _pair_table(self) -> list[str]:
        rows = [
            (
                *(pair.setting, f"{pair.first} - {pair.second}", pair.others, str(pair.statistics.counts.pairs)),
                *(difference_text(pair.statistics), p_text(pair.statistics.corrected_p)),
            )
            for pair in self.pairs
        ]
        return _table(("setting", "compared", "others", "episodes", "difference", "p (Holm)"), rows)


def design_report(plan: DesignPlan, runner: StudyRunner, command: str) -> DesignReport:
    """Read what the finished jobs wrote.

    Raises:
        DatasetError: A results folder is damaged, or the initial states of two cells differ.
    """
    jobs = plan.jobs()
    finished = [cell for cell in plan.cells if _complete(plan, cell)]
    return DesignReport(
        about=plan.about(),
        date=time.strftime("%Y-%m-%d"),
        command=command,
        machine={**describe_machine(), "versions": versions(TRAINING_PACKAGES)},
        cells=[_figure(plan, runner, cell) for cell in finished],
        pairs=_pairs(plan, finished),
        left_out=plan.left_out,
        failed=runner.failed,
        missing=[job.name for job in jobs if job.name not in runner.failed and not runner.done(job)],
    )


def write_picture(report: DesignReport, path: Path) -> None:
    """Draw the rates of the complete cells, with their intervals, as bars: one for each task."""
    groups = [(", ".join(cell.settings.values()) or "default", INK, [*cell.tasks.items()]) for cell in report.cells]
    if groups:
        settings = " and ".join(report.cells[0].settings) or "its default settings"
        title = f"{report.about['policy']} by {settings}: success rates in % with 95 % intervals (Wilson)."
        write_bars(
            path,
            groups,
            f"{title} Episodes of each training and task: {report.about['episodes of each training and task']}.",
        )


def _figure(plan: DesignPlan, runner: StudyRunner, cell: StudyCell) -> CellFigure:
    rows = [row for folder in _folders(plan, cell) for row in ResultsFolder.open(folder).rows]
    return CellFigure(
        settings={name: plan.value(cell, name) for name in plan.varied},
        implied=", ".join(f"{name} {value}" for name, value in cell.implied.items()),
        tasks={task: Tally.of([row for row in rows if row.task == task]) for task in plan.tasks},
        together=Tally.of(rows),
        training_s=sum(runner.seconds(plan.train_job(cell, seed)) for seed in plan.seeds),
    )


def _pairs(plan: DesignPlan, cells: Sequence[StudyCell]) -> list[PairFigure]:
    found = [_pair(plan, a, b) for a, b in plan.pairs if a in cells and b in cells]
    corrected = holm([pair.statistics.exact_p for pair in found])
    return [
        replace(pair, statistics=replace(pair.statistics, corrected_p=p, tests=len(found)))
        for pair, p in zip(found, corrected, strict=True)
    ]


def _pair(plan: DesignPlan, a: StudyCell, b: StudyCell) -> PairFigure:
    (setting,) = a.differs_in(b)
    successes: list[tuple[bool, bool]] = []
    for one, other in zip(_folders(plan, a), _folders(plan, b), strict=True):
        first, second = ComparedFolder.read("A", one), ComparedFolder.read("B", other)
        keys = common_episodes(first, second)
        successes += [(first.rows[key].success, second.rows[key].success) for key in keys]
    others = [f"{name} {plan.value(a, name)}" for name in plan.varied if name != setting]
    return PairFigure(
        setting=setting,
        first=plan.value(a, setting),
        second=plan.value(b, setting),
        others=", ".join(others),
        statistics=PairedStatistics.of(successes),
    )


def _folders(plan: DesignPlan, cell: StudyCell) -> list[Path]:
    return [plan.results_folder(cell, seed, task) for seed in plan.seeds for task in plan.tasks]


def _complete(plan: DesignPlan, cell: StudyCell) -> bool:
    summaries = [ResultsFolder(folder).stored_summary for folder in _folders(plan, cell)]
    return all(summary is not None and summary.complete for summary in summaries)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows)]
