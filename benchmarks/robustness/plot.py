"""The figure of robustness reports: success against level, one panel for each axis."""

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ambidex.atomic_files import replacing
from ambidex.benchmarks.robustness.figures import AxisFigure
from ambidex.benchmarks.robustness.report import RobustnessReport
from ambidex.envs.perturbations.perturbation import LEVELS
from ambidex.errors import MissingPackageError
from ambidex.recorders.inspection.chart import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLOT, ENDINGS = "robustness", (".png", ".svg", ".pdf")
COLUMNS = 4
PANEL = (2.2, 1.7)  # width and height [inches]
DODGE = 0.08  # between the points of two policies [levels]


class Writable(Protocol):
    """A report, of one benchmark or of two."""

    def write(self, folder: Path) -> None:
        """Write its files into a folder."""
        ...


def write_plot(reports: Sequence[RobustnessReport], paths: Sequence[Path]) -> None:
    """Write the figure into files whose names end in .png, .svg or .pdf.

    A point is the success rate of a level; its bar is the paired interval of the change, at the clean rate. That of
    level 0 is Wilson's interval.

    Raises:
        MissingPackageError: matplotlib is not installed.
        DatasetError: A file cannot be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise MissingPackageError(error, "plot", "The figure") from error
    names = list(dict.fromkeys(axis.axis for report in reports for axis in report.axes))
    columns, rows = min(COLUMNS, max(1, len(names))), max(1, ceil(len(names) / COLUMNS))
    figure = Figure(figsize=(columns * PANEL[0], rows * PANEL[1] + 0.4), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for name, panel in zip(names, panels, strict=False):
        _draw_panel(panel, name, reports)
    for place in range(len(names), rows * columns):
        panels[place].set_axis_off()
        if place >= columns:
            panels[place - columns].tick_params(labelbottom=True)  # the panel above is the last one of its column
    figure.supylabel("success rate [%]", fontsize=8)
    figure.supxlabel("level, 0 is clean", fontsize=8)
    drawn = [panel.get_legend_handles_labels() for panel in panels]
    handles = {label: handle for found in drawn for handle, label in zip(*found, strict=True)}
    figure.legend(
        list(handles.values()), list(handles), loc="outside upper left", ncols=len(handles), fontsize=8, frameon=False
    )
    for path in paths:
        with replacing(path) as temporary:
            figure.savefig(temporary, format=path.suffix.lstrip("."), dpi=200)


def write_files(report: Writable, reports: Sequence[RobustnessReport], place: Path) -> str:
    """Write a report on one or two benchmarks and its figure, if matplotlib is installed; returns what was written."""
    report.write(place)
    try:
        write_plot(reports, [place / f"{PLOT}{ending}" for ending in ENDINGS])
    except MissingPackageError as error:
        return f"{place}: report.md, report.json and report.csv. {error}"
    return f"{place}: report.md, report.json, report.csv, and the figure as {', '.join(PLOT + e for e in ENDINGS)}."


def _draw_panel(panel: "Axes", name: str, reports: Sequence[RobustnessReport]) -> None:
    for number, (report, colour) in enumerate(zip(reports, PALETTE, strict=False)):
        found = [axis for axis in report.axes if axis.axis == name]
        if found:
            red, green, blue = (part / 255 for part in colour)
            shift = DODGE * (number - (len(reports) - 1) / 2)
            _draw_axis(panel, found[0], report, shift, (red, green, blue))
    panel.set_title(name, fontsize=8, pad=3)
    panel.set(xlim=(-0.4, LEVELS + 0.4), ylim=(-4, 104), xticks=range(LEVELS + 1), yticks=(0, 50, 100))
    panel.tick_params(labelsize=7)
    panel.grid(alpha=0.3, linewidth=0.5)
    panel.spines[["top", "right"]].set_visible(False)


def _draw_axis(
    panel: "Axes", axis: AxisFigure, report: RobustnessReport, shift: float, colour: tuple[float, float, float]
) -> None:
    clean, (lowest, highest) = report.clean.rate or 0.0, report.clean.interval
    levels, rates = [shift], [100 * clean]
    lows, highs = [100 * (clean - lowest)], [100 * (highest - clean)]
    for level, cell in axis.by_level.items():
        assert cell.statistics is not None  # cells without pairs are in no axis
        rate, own = cell.perturbed.rate or 0.0, cell.clean.rate or 0.0
        low, high = (own + end for end in cell.statistics.difference_interval)
        levels.append(level + shift)
        rates.append(100 * rate)
        lows.append(100 * (rate - max(0.0, low)))
        highs.append(100 * (min(1.0, high) - rate))
    panel.errorbar(
        levels,
        rates,
        yerr=[lows, highs],
        color=colour,
        label=report.policy,
        marker="o",
        markersize=2.5,
        linewidth=1.2,
        elinewidth=0.8,
        capsize=1.5,
    )
