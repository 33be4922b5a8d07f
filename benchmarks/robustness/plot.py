"""The figure of robustness reports: success against level, one panel for each axis."""

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING, Protocol

from ambidex.benchmarks.export.plots import FONT, draw_rates, make_figure, save_figure
from ambidex.benchmarks.robustness.figures import AxisFigure
from ambidex.benchmarks.robustness.report import RobustnessReport
from ambidex.envs.perturbations.perturbation import LEVELS, LIBERO_PLUS
from ambidex.errors import MissingPackageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLOT, ENDINGS = "robustness", (".png", ".svg", ".pdf")
COLUMNS = 4
PANEL = (2.2, 1.7)  # width and height [inches]
DODGE = 0.08  # between the points of two policies [levels]


class Writable(Protocol):
    """A report, of one benchmark or of two."""

    def write(self, folder: Path) -> Sequence[str]:
        """Write its files into a folder; returns their names."""
        ...


def write_plot(reports: Sequence[RobustnessReport], paths: Sequence[Path]) -> None:
    """Write the figure into files whose names end in .png, .svg or .pdf.

    A point is the success rate of a level; its bar is the paired interval of the change, at the clean rate. That of
    level 0 is Wilson's interval. The level libero_plus is at "plus".

    Raises:
        MissingPackageError: matplotlib is not installed.
        DatasetError: A file cannot be written.
    """
    names = list(dict.fromkeys(axis.axis for report in reports for axis in report.axes))
    columns, rows = min(COLUMNS, max(1, len(names))), max(1, ceil(len(names) / COLUMNS))
    figure = make_figure(columns * PANEL[0], rows * PANEL[1] + 0.4)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for name, panel in zip(names, panels, strict=False):
        _draw_panel(panel, name, reports)
    for place in range(len(names), rows * columns):
        panels[place].set_axis_off()
        if place >= columns:
            panels[place - columns].tick_params(labelbottom=True)  # the panel above is the last one of its column
    figure.supylabel("success rate [%]", fontsize=FONT)
    figure.supxlabel("level, 0 is clean", fontsize=FONT)
    drawn = [panel.get_legend_handles_labels() for panel in panels]
    handles = {label: handle for found in drawn for handle, label in zip(*found, strict=True)}
    lines, labels = list(handles.values()), list(handles)
    figure.legend(lines, labels, loc="outside upper left", ncols=len(labels), fontsize=FONT, frameon=False)
    save_figure(figure, paths)


def write_files(report: Writable, reports: Sequence[RobustnessReport], place: Path) -> str:
    """Write a report on one or two benchmarks and its figure, if matplotlib is installed; returns what was written."""
    names = ", ".join(report.write(place))
    try:
        write_plot(reports, [place / f"{PLOT}{ending}" for ending in ENDINGS])
    except MissingPackageError as error:
        return f"{place}: {names}. {error}"
    return f"{place}: {names}, and the figure as {', '.join(PLOT + e for e in ENDINGS)}."


def _draw_panel(panel: "Axes", name: str, reports: Sequence[RobustnessReport]) -> None:
    for number, (letter, report) in enumerate(zip(ascii_uppercase, reports, strict=False)):
        found = [axis for axis in report.axes if axis.axis == name]
        if found:
            label = f"{letter}: {report.policy}" if len(reports) > 1 else report.policy
            shift = DODGE * (number - (len(reports) - 1) / 2)
            places, rates, intervals = _curve(found[0], report)
            draw_rates(panel, [place + shift for place in places], rates, intervals, number=number, label=label)
    panel.set_title(name, fontsize=FONT, pad=3)
    last = LEVELS + any(report.pooled is not None for report in reports)
    panel.set(xlim=(-0.4, last + 0.4), xticks=range(last + 1))
    panel.set_xticklabels([*map(str, range(LEVELS + 1)), "plus"][: last + 1])


def _curve(axis: AxisFigure, report: RobustnessReport) -> tuple[list[float], list[float], list[tuple[float, float]]]:
    """Levels from 0, their rates, and their intervals."""
    levels, rates, intervals = [0.0], [report.clean.rate or 0.0], [report.clean.interval]
    for level, cell in axis.by_level.items():
        low, high = ((cell.clean.rate or 0.0) + end for end in cell.interval)
        levels.append(float(LEVELS + 1 if level == LIBERO_PLUS else level))
        rates.append(cell.perturbed.rate or 0.0)
        intervals.append((max(0.0, low), min(1.0, high)))
    return levels, rates, intervals
