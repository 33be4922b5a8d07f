"""Draws the share of failures that can still be recovered, against the step at which they are taken over."""

from collections.abc import Sequence
from pathlib import Path

from ambidex.benchmarks.export.plots import FONT, draw_rates, make_figure, save_figure
from ambidex.benchmarks.take_over.recoverability import StepShare

SIZE = (5.0, 2.6)  # width and height [inches]


def write_curve(path: Path, shares: Sequence[StepShare], title: str) -> None:
    """Write a PNG, SVG or PDF file: the share at each step, with its 95 % interval.

    Raises:
        MissingPackageError: matplotlib is not installed.
        DatasetError: The file cannot be written.
    """
    figure = make_figure(*SIZE)
    panel = figure.subplots()
    rates = [each.tally.rate or 0.0 for each in shares]
    draw_rates(panel, [each.step for each in shares], rates, [each.tally.interval for each in shares])
    panel.set_title(title, fontsize=FONT)
    panel.set_xlabel("taken over at control step", fontsize=FONT)
    panel.set_ylabel("recovered [%]", fontsize=FONT)
    save_figure(figure, [path])
