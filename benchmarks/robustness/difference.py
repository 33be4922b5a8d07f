"""Two policies compared by what they lose: the difference of the changes of the same episodes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ambidex.atomic_files import write_json, write_text
from ambidex.benchmarks.robustness.figures import Change, Seeds, mean_of
from ambidex.benchmarks.robustness.report import (
    REPORT,
    RobustnessReport,
    change_json,
    change_text,
    csv_text,
    markdown_table,
)
from ambidex.errors import DatasetError
from ambidex.text import text_table

ALL_AXES = "all axes"
HEADER = ("axis", "level", "change of A", "change of B", "A minus B", "episodes")
LEGEND = (
    "Changes from the clean episodes of the same seeds, in points, and the difference of these changes, with "
    "Student's t 95 % intervals over seeds, each number on its own. Only episodes that both policies ran, clean and "
    "perturbed, count."
)


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
    level: int
    a: Change
    b: Change
    difference: Change

    @classmethod
    def of(cls, axis: str, level: int, a: Seeds, b: Seeds) -> Self:
        """Of the changes of each episode that both have, one or more."""
        common = sorted(a.keys() & b.keys())
        return cls(
            axis=axis,
            level=level,
            a=Change.of({key: a[key] for key in common}),
            b=Change.of({key: b[key] for key in common}),
            difference=Change.of({key: a[key] - b[key] for key in common}),
        )


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
            DatasetError: They have no axis, level and seed in common.
        """
        found: list[ChangeDifference] = []
        means: list[tuple[Seeds, Seeds]] = []
        of_b = {axis.axis: axis for axis in b.axes}
        for axis in (axis for axis in a.axes if axis.axis in of_b):
            other = of_b[axis.axis].by_level
            levels = [(cell.changes, other[level].changes) for level, cell in axis.by_level.items() if level in other]
            common = [(one, two) for one, two in levels if one.keys() & two.keys()]
            found += [
                ChangeDifference.of(axis.axis, level, cell.changes, other[level].changes)
                for level, cell in axis.by_level.items()
                if level in other and cell.changes.keys() & other[level].changes.keys()
            ]
            if common:
                means.append((mean_of([one for one, _ in common]), mean_of([two for _, two in common])))
                found.append(ChangeDifference.of(axis.axis, 0, *means[-1]))
        if not means:
            problem = f"{a.folder} and {b.folder} have no axis, level and seed in common."
            raise DatasetError(problem, "Run both with the same --task, --axes, --levels and --seed.")
        everything = (mean_of([one for one, _ in means]), mean_of([two for _, two in means]))
        return cls(a=a, b=b, differences=(*found, ChangeDifference.of(ALL_AXES, 0, *everything)))

    def __str__(self) -> str:
        return "\n".join([*self._head(), "", text_table(HEADER, self._rows()), "", LEGEND])

    def write(self, folder: Path) -> None:
        """Write report.md, report.json and report.csv.

        Raises:
            DatasetError: They cannot be written.
        """
        head = [f"- {line}" for line in self._head()]
        table = markdown_table(HEADER, self._rows())
        write_text(folder / f"{REPORT}.md", "\n".join(["# Robustness compared", "", *head, "", table, "", LEGEND, ""]))
        write_json(
            folder / f"{REPORT}.json", {"a": self.a.to_json(), "b": self.b.to_json(), "differences": self._json()}
        )
        write_text(folder / f"{REPORT}.csv", csv_text(self._json()))

    def _head(self) -> list[str]:
        return [f"{letter}: {r.policy}, {r.folder}, clean {r.clean}" for letter, r in (("A", self.a), ("B", self.b))]

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
