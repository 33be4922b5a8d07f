"""Two policies compared by what they lose: the difference of the changes of the same episodes."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ambidex.atomic_files import write_json, write_text
from ambidex.benchmarks.comparison.compare import common_episodes
from ambidex.benchmarks.comparison.folder import ComparedFolder
from ambidex.benchmarks.robustness.figures import Change, Seeds, mean_of
from ambidex.benchmarks.robustness.folder import Cell, RobustnessFolder
from ambidex.benchmarks.robustness.report import (
    FILES,
    REPORT,
    WIDTH,
    RobustnessReport,
    change_json,
    change_text,
    csv_of,
    markdown_table,
)
from ambidex.envs.perturbations.perturbation import Level
from ambidex.errors import DatasetError
from ambidex.text import text_table

ALL_AXES = "all axes"
HEADER = ("axis", "level", "change of A", "change of B", "A minus B", "episodes")
LEGEND = (
    "Changes from the clean episodes of the same seeds, in points, and the difference of these changes, with "
    "Student's t 95 % intervals over seeds, each number on its own. Only episodes that both policies ran, clean and "
    "perturbed, count."
)
ANY_TIME = "Seeds were given where decisions were open (--spend where-open), so all intervals are approximate."


@dataclass(frozen=True, kw_only=True)
class ChangeDifference:
    """One axis at one level, or all levels together if the level is 0, on the episodes that both policies ran.

    Attributes:
        axis: The axis.
        level: The level.
        a: Change of the first policy.
        b: Change of the second.
        difference: The first minus the second.
    """

    axis: str
    level: Level
    a: Change
    b: Change
    difference: Change

    @classmethod
    def of(cls, axis: str, level: Level, a: Seeds, b: Seeds) -> Self:
        """Of the changes of the same episodes, one or more."""
        difference = Change.of({key: a[key] - b[key] for key in a})
        return cls(axis=axis, level=level, a=Change.of(a), b=Change.of(b), difference=difference)


@dataclass(frozen=True, kw_only=True)
class RobustnessDifference:
    """Which of two policies loses less. As text it is a table; a positive difference means that A loses less.

    Attributes:
        a: Report of the first policy.
        b: Of the second.
        differences: Of each level, each axis and all axes that both have.
    """

    a: RobustnessReport
    b: RobustnessReport
    differences: tuple[ChangeDifference, ...]

    @classmethod
    def of(cls, a: RobustnessReport, b: RobustnessReport) -> Self:
        """Compare two reports.

        Raises:
            DatasetError: They have no axis, level and seed in common, or other settings or initial states.
        """
        of_a, of_b = RobustnessFolder(a.folder), RobustnessFolder(b.folder)
        _check_same_episodes(of_a, of_b, Cell())
        found: list[ChangeDifference] = []
        everything: list[tuple[Seeds, Seeds]] = []
        others = {axis.axis: axis.by_level for axis in b.axes}
        for axis in a.axes:
            levels: list[tuple[Seeds, Seeds]] = []
            for level, cell in axis.by_level.items():
                other = others.get(axis.axis, {}).get(level)
                if other and (both := _common(cell.changes, other.changes)):
                    _check_same_episodes(of_a, of_b, cell.cell)
                    levels.append(both)
                    found.append(ChangeDifference.of(axis.axis, level, *both))
            means = _means(levels)
            found += _mean_difference(axis.axis, means)
            everything += [means] if levels else []
        if not found:
            problem = f"{a.folder} and {b.folder} have no axis, level and seed in common."
            raise DatasetError(problem, "Run both with the same --task, --axes, --levels and --seed.")
        return cls(a=a, b=b, differences=(*found, *_mean_difference(ALL_AXES, _means(everything))))

    def __str__(self) -> str:
        return "\n".join([*self._head(), "", text_table(HEADER, self._rows()), "", textwrap.fill(LEGEND, WIDTH)])

    def write(self, folder: Path) -> Sequence[str]:
        """Write report.md, report.json and report.csv; returns their names.

        Raises:
            DatasetError: They cannot be written.
        """
        head = [f"- {line}" for line in self._head()]
        table = markdown_table(HEADER, self._rows())
        write_text(folder / f"{REPORT}.md", "\n".join(["# Robustness compared", "", *head, "", table, "", LEGEND, ""]))
        write_json(
            folder / f"{REPORT}.json", {"a": self.a.to_json(), "b": self.b.to_json(), "differences": self._json()}
        )
        write_text(folder / f"{REPORT}.csv", csv_of(self._json()))
        return FILES

    def _head(self) -> list[str]:
        names = [f"{letter}: {r.policy}, {r.folder}, clean {r.clean}" for letter, r in (("A", self.a), ("B", self.b))]
        return [*names, *([ANY_TIME] if self.a.any_time or self.b.any_time else [])]

    def _rows(self) -> list[list[str]]:
        return [
            [
                *(each.axis, str(each.level) if each.level else "all"),
                *(change_text(change) for change in (each.a, each.b, each.difference)),
                str(each.difference.episodes),
            ]
            for each in self.differences
        ]

    def _json(self) -> list[dict[str, object]]:
        return [
            {
                "axis": each.axis,
                "level": each.level or "all",
                "a": change_json(each.a),
                "b": change_json(each.b),
                "difference": change_json(each.difference),
            }
            for each in self.differences
        ]


def _common(a: Seeds, b: Seeds) -> tuple[Seeds, Seeds] | None:
    """The changes of the episodes that both have; None if there are none."""
    common = sorted(a.keys() & b.keys())
    return ({key: a[key] for key in common}, {key: b[key] for key in common}) if common else None


def _means(numbers: Sequence[tuple[Seeds, Seeds]]) -> tuple[Seeds, Seeds]:
    """The means of both policies over the episodes that they have in all of the numbers."""
    return mean_of([one for one, _ in numbers]), mean_of([other for _, other in numbers])


def _mean_difference(axis: str, means: tuple[Seeds, Seeds]) -> list[ChangeDifference]:
    """Of the means over levels or axes; none without episodes."""
    return [ChangeDifference.of(axis, 0, *means)] if means[0] else []


def _check_same_episodes(a: RobustnessFolder, b: RobustnessFolder, cell: Cell) -> None:
    """Refuse cells of other settings or initial states."""
    common_episodes(ComparedFolder.read("A", a.results(cell).path), ComparedFolder.read("B", b.results(cell).path))
