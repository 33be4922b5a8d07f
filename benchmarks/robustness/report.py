"""The report of a robustness benchmark: as text, JSON and CSV."""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from ambidex.atomic_files import write_json, write_text
from ambidex.benchmarks.results.row import EpisodeRow
from ambidex.benchmarks.results.tally import Tally
from ambidex.benchmarks.robustness.amounts import ANY_TIME_LEGEND
from ambidex.benchmarks.robustness.figures import AxisFigure, CellFigure, Change
from ambidex.benchmarks.robustness.folder import Cell, RobustnessFolder
from ambidex.benchmarks.robustness.funnel import Funnel, funnel_rows
from ambidex.benchmarks.robustness.libero_plus import variants_suite
from ambidex.benchmarks.robustness.pooled import HEADER as POOLED_HEADER
from ambidex.benchmarks.robustness.pooled import LEGEND as POOLED_LEGEND
from ambidex.benchmarks.robustness.pooled import PooledSuccess
from ambidex.benchmarks.robustness.requests import violations
from ambidex.benchmarks.statistics.paired import holm
from ambidex.benchmarks.statistics.summary import PairedStatistics
from ambidex.benchmarks.statistics.text import p_text, points, points_interval
from ambidex.envs.perturbations.perturbation import LIBERO_PLUS
from ambidex.text import csv_text, text_table

REPORT, STAGES_CSV = "report", "stages.csv"
FILES = tuple(f"{REPORT}.{ending}" for ending in ("md", "json", "csv"))
Rows = tuple[Sequence[str], Sequence[Sequence[str]]]
"""Header and rows of a table."""
COLUMNS = ("axis", "level", "success", "change", "p (Holm)", "lost", "won", "detectable", "infeasible", "with them")
WIDTH = 110
LEGEND = (
    "Rates in %, changes from the clean episodes of the same seeds in points, with 95 % intervals. lost, won: pairs in "
    "which only the clean, only the perturbed episode succeeded. infeasible: pairs whose perturbed episode the expert "
    "does not solve either; they are left out of the other columns but 'with them'. mean: over levels, then over axes; "
    "changes of the seeds that are feasible at all levels."
)
FIXED_LEGEND = (
    "Intervals of changes are Tango's for a level, Student's t over seeds for means of levels, or one as wide as "
    "Tango's if all seeds change equally. p: exact McNemar test, corrected by Holm for all rows of the table. "
    "detectable: smallest true change that so many pairs show with 80 % probability, at 5 % over all rows, if pairs "
    "disagree as often as here."
)
STAGES_LEGEND = (
    "Stages: how many clean and how many perturbed episodes of the pairs reached each, all levels together, so a clean "
    "episode counts once for each level. most lost at: the stage at which this difference grows most from the stage "
    f"before, and by how many. {STAGES_CSV} has each level."
)


@dataclass(frozen=True, kw_only=True)
class RobustnessReport:
    """How much a policy loses on each axis. As text it is a table of all levels, one of all axes, and their stages.

    Attributes:
        folder: The folder of the benchmark.
        policy: The policy and how its chunks were executed.
        stages: Task -> names of its stages from 0 ("none").
        clean: Outcomes of the clean episodes.
        axes: The axes that have pairs, in order.
        left_out: Axes with their level that are not part of the benchmark, as text -> why.
        notes: What is missing, and what speaks against the figures.
        pooled: Success as LIBERO-plus counts it, under its protocol; else None.
    """

    folder: Path
    policy: str
    stages: Mapping[str, Sequence[str]]
    clean: Tally
    axes: Sequence[AxisFigure]
    left_out: Mapping[str, str]
    notes: Sequence[str]
    pooled: PooledSuccess | None = None

    @classmethod
    def of(cls, folder: RobustnessFolder) -> Self:
        """Read what a benchmark has stored so far.

        Raises:
            DatasetError: A folder is damaged.
        """
        results, without = folder.results(Cell()), set(folder.without_expert())
        cells = [cell for cell in folder.cells if folder.results(cell).rows and cell not in without]
        figures = _corrected([CellFigure.of(folder, cell, len(cells)) for cell in cells])
        found = {axis: [f for f in figures if f.cell.axis == axis and f.statistics] for axis in _axes(figures)}
        return cls(
            folder=folder.path,
            policy=" ".join(filter(None, (results.info.policy, results.info.execution))),
            stages={task: spec.stages for task, spec in results.info.env_specs.items()},
            clean=Tally.of(results.rows),
            axes=[AxisFigure.of(axis, of_axis) for axis, of_axis in found.items() if of_axis],
            left_out=folder.left_out,
            notes=[
                *_unfinished(folder),
                *_floor(results.rows),
                *_infeasible(figures),
                *_events(figures),
                *(each for figure in figures for each in violations(figure)),
            ],
            pooled=_pooled(folder, figures),
        )

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks of the benchmark."""
        return tuple(self.stages)

    @property
    def funnels(self) -> list[Funnel]:
        """The stages that were reached in each task on each axis, all levels together."""
        return self._funnels([axis.cells for axis in self.axes])

    @property
    def rate(self) -> float | None:
        """Mean over the axes of their rates; None without axes."""
        return sum(axis.rate for axis in self.axes) / len(self.axes) if self.axes else None

    @property
    def change(self) -> Change | None:
        """Mean over the axes of their changes, over the seeds that are feasible in all; None if there are none."""
        return Change.of_means([axis.changes for axis in self.axes])

    @property
    def any_time(self) -> bool:
        """Whether numbers of pairs may depend on their outcomes, see `WhereOpen`."""
        return any(cell.any_time for axis in self.axes for cell in axis.cells)

    def __str__(self) -> str:
        head = f"{self.policy} in {', '.join(self.tasks)}: clean {self.clean}"
        left_out = [f"Left out: {axis}. {reason}" for axis, reason in self.left_out.items()]
        rest = [*self._legends(), *left_out, *self.notes]
        return "\n".join([head, "", *self._tables(text_table), *(textwrap.fill(line, WIDTH) for line in rest)])

    def markdown(self) -> str:
        """The same as a document."""
        left_out = [f"- Left out: {axis}. {reason}" for axis, reason in self.left_out.items()]
        notes = [f"- {note}" for note in self.notes]
        title = f"# Robustness of {self.policy} in {', '.join(self.tasks)}"
        legends = [part for legend in self._legends() for part in (legend, "")]
        body = (*self._tables(markdown_table), *legends)
        return "\n".join([title, "", f"Clean: {self.clean}", "", *body, *left_out, *notes]) + "\n"

    def write(self, folder: Path) -> Sequence[str]:
        """Write report.md, report.json, report.csv and stages.csv; returns their names.

        Raises:
            DatasetError: They cannot be written.
        """
        write_text(folder / f"{REPORT}.md", self.markdown())
        write_json(folder / f"{REPORT}.json", self.to_json())
        write_text(folder / f"{REPORT}.csv", self.to_csv())
        write_text(folder / STAGES_CSV, csv_of(self._stage_lines()))
        return *FILES, STAGES_CSV

    def to_json(self) -> dict[str, object]:
        """All figures."""
        change = self.change
        return {
            "policy": self.policy,
            "tasks": self.tasks,
            "clean": {"successes": self.clean.successes, "episodes": self.clean.n},
            "mean_rate": self.rate,
            "mean_change": change and change_json(change),
            **({"libero_plus": self.pooled.to_json()} if self.pooled else {}),
            "axes": [
                {
                    "axis": axis.axis,
                    "rate": axis.rate,
                    "change": axis.change and change_json(axis.change),
                    "levels": [_cell_json(cell) for cell in axis.cells],
                }
                for axis in self.axes
            ],
            "stages": self._stage_lines(),
            "left_out": self.left_out,
            "notes": self.notes,
        }

    def to_csv(self) -> str:
        """One line for each axis and level."""
        return csv_of([_cell_json(cell) for axis in self.axes for cell in axis.cells])

    def _tables(self, table: Callable[[Sequence[str], Sequence[Sequence[str]]], str]) -> list[str]:
        """Tables of levels, of axes, as LIBERO-plus counts, and of the stages of each task, and empty lines between."""
        pooled = [table(POOLED_HEADER, self.pooled.rows())] if self.pooled else []
        blocks = [table(*self._cell_rows()), table(*self._axis_rows()), *pooled]
        for task in self.stages:
            if funnels := [funnel for funnel in self.funnels if funnel.task == task]:
                blocks.append(f"Stages reached in {task}, clean to perturbed:\n\n{table(*funnel_rows(funnels))}")
        return [line for block in blocks for line in (block, "")]

    def _legends(self) -> list[str]:
        statistics = ANY_TIME_LEGEND if self.any_time else FIXED_LEGEND
        return [LEGEND, statistics, *([POOLED_LEGEND] if self.pooled else []), STAGES_LEGEND]

    def _funnels(self, groups: Sequence[Sequence[CellFigure]]) -> list[Funnel]:
        """Of cells of one axis each, for each task that has pairs there."""
        found = [Funnel.of(task, stages, cells) for task, stages in self.stages.items() for cells in groups]
        return [funnel for funnel in found if funnel.pairs]

    def _stage_lines(self) -> list[dict[str, object]]:
        levels = self._funnels([[cell] for axis in self.axes for cell in axis.cells])
        return [line for funnel in levels for line in funnel.lines()]

    def _cell_rows(self) -> Rows:
        return COLUMNS, [_cell_row(cell) for axis in self.axes for cell in axis.cells]

    def _axis_rows(self) -> Rows:
        rows = [_axis_row(axis.axis, axis.rate, axis.change) for axis in self.axes]
        if self.rate is not None:
            rows.append(_axis_row("all axes", self.rate, self.change))
        return ("axis", "mean success", "mean change", "seeds"), [*rows]


def csv_of(values: Sequence[Mapping[str, object]]) -> str:
    """A line of comma-separated values for each of some nested values."""
    rows = [_flat(row) for row in values]
    header = list(dict.fromkeys(name for row in rows for name in row))
    return csv_text(header, [[row.get(name, "") for name in header] for row in rows])


def rate_text(tally: Tally) -> str:
    """Successes, rate and Wilson's interval, in percent."""
    low, high = tally.interval
    return f"{tally.successes}/{tally.n} = {100 * (tally.rate or 0.0):.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def change_text(change: Change) -> str:
    """The mean change with its interval, in points."""
    return f"{points(change.mean)} {points_interval(*change.interval)}"


def _axis_row(name: str, rate: float, change: Change | None) -> tuple[str, str, str, str]:
    text, seeds = (change_text(change), str(change.episodes)) if change else ("none", "0")
    return name, f"{100 * rate:.1f}", text, seeds


def _axes(figures: Sequence[CellFigure]) -> list[str]:
    return list(dict.fromkeys(figure.cell.axis for figure in figures))


def _pooled(folder: RobustnessFolder, figures: Sequence[CellFigure]) -> PooledSuccess | None:
    if folder.config.protocol != LIBERO_PLUS:
        return None
    return PooledSuccess.of(figures, variants_suite(str(folder.config.task)))


def _corrected(figures: Sequence[CellFigure]) -> list[CellFigure]:
    tested = [figure.statistics for figure in figures if figure.statistics]
    ps = iter(holm([statistics.exact_p for statistics in tested]))
    anytime = iter(holm([statistics.sequential.p_value for statistics in tested]))

    def corrected(statistics: PairedStatistics) -> PairedStatistics:
        return replace(statistics, corrected_p=next(ps), corrected_anytime_p=next(anytime), tests=len(tested))

    return [replace(f, statistics=corrected(f.statistics)) if f.statistics else f for f in figures]


def _unfinished(folder: RobustnessFolder) -> list[str]:
    missing = folder.unfinished()
    if not missing:
        return []
    listed = ", ".join(map(str, missing))
    return [f"Not finished: {listed}. Resume with: {folder.resume_command}"]


def _floor(clean: Sequence[EpisodeRow]) -> list[str]:
    if any(row.success for row in clean):
        return []
    return ["No clean episode succeeded: there is nothing to lose, so the changes say nothing about robustness."]


def _infeasible(figures: Sequence[CellFigure]) -> list[str]:
    return [
        f"{figure.cell}: the expert solves none of the {figure.infeasible} perturbed episodes, so nothing is compared."
        for figure in figures
        if not figure.statistics
    ]


def _events(figures: Sequence[CellFigure]) -> list[str]:
    reached = [
        f"{figure.events}/{len(figure.pairs)} ({figure.cell})" for figure in figures if figure.events is not None
    ]
    if not reached:
        return []
    return [f"Pairs in which the event happened: {', '.join(reached)}. The others are equal by construction."]


def _cell_row(figure: CellFigure) -> Sequence[str]:
    statistics = figure.statistics
    assert statistics is not None  # cells without pairs are in no axis
    drop = figure.detectable_drop
    return (
        figure.cell.axis,
        str(figure.cell.level),
        rate_text(figure.perturbed),
        f"{points(statistics.counts.difference)} {points_interval(*figure.interval)}",
        p_text(figure.corrected_p),
        str(statistics.counts.only_b),
        str(statistics.counts.only_a),
        "none" if drop is None else f"{100 * drop:.0f}",
        str(figure.infeasible),
        f"{figure.together.successes}/{figure.together.n}",
    )


def _cell_json(figure: CellFigure) -> dict[str, object]:
    statistics = figure.statistics
    assert statistics is not None  # cells without pairs are in no axis
    return {
        "axis": figure.cell.axis,
        "level": figure.cell.level,
        "pairs": statistics.counts.pairs,
        "infeasible": figure.infeasible,
        "all_perturbed": figure.together.n,
        "all_perturbed_successes": figure.together.successes,
        "successes": figure.perturbed.successes,
        "clean_successes": figure.clean.successes,
        "errors": figure.perturbed.errors,
        "difference": statistics.counts.difference,
        "interval": list(figure.interval),
        "only_clean": statistics.counts.only_b,
        "only_perturbed": statistics.counts.only_a,
        **({"anytime_p": statistics.sequential.p_value} if figure.any_time else {"exact_p": statistics.exact_p}),
        "corrected_p": figure.corrected_p,
        "detectable_drop": figure.detectable_drop,
        "sent": dict(figure.sent),
        **({} if figure.events is None else {"events": figure.events}),
    }


def change_json(change: Change) -> dict[str, object]:
    return {"mean": change.mean, "interval": list(change.interval), "episodes": change.episodes}


def _flat(values: Mapping[str, object]) -> dict[str, object]:
    """Nested values as columns: interval as interval_low and interval_high, others by their names."""
    found: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, list):
            found |= {f"{name}_low": value[0], f"{name}_high": value[1]}
        elif isinstance(value, Mapping):
            found |= _flat({f"{name}_{part}": each for part, each in value.items()})
        else:
            found[name] = value
    return found


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows))
