"""Draws the share of failures that can still be recovered, against the step at which they are taken over."""

from collections.abc import Sequence
from pathlib import Path

from ambidex.atomic_files import replacing
from ambidex.benchmarks.export.figure import DOTS_PER_INCH, FONT, MARGIN, SCALE, SMALL, TICKS
from ambidex.benchmarks.take_over.recoverability import StepShare
from ambidex.recorders.inspection.chart import INK, PALE, PALETTE, RULE, Chart

WIDTH, HEIGHT = 360, 160  # of the axes [px]
LEFT, HEAD, FOOT = 34, 28, 34  # room for labels [px]
WHISKER, DOT = 3, 2  # half their widths [px]
LABEL = 26  # between labels of the horizontal axis, at least [px]


def write_curve(path: Path, shares: Sequence[StepShare], title: str) -> None:
    """Write a PNG file of 288 dots per inch: the share at each step, with its 95 % interval.

    Raises:
        DatasetError: It cannot be written.
    """
    chart = Chart((LEFT + WIDTH + 2 * MARGIN, HEAD + HEIGHT + FOOT + MARGIN), SCALE)
    chart.text((MARGIN, 6), title, FONT)
    _draw_axes(chart, [each.step for each in shares])
    places = [(_x(each.step, shares), _y(each.tally.rate or 0.0)) for each in shares]
    if len(places) > 1:
        chart.line(places, PALETTE[0])
    for (x, y), each in zip(places, shares, strict=True):
        low, high = map(_y, each.tally.interval)
        chart.line([(x, low), (x, high)], PALE)
        for end in (low, high):
            chart.line([(x - WHISKER, end), (x + WHISKER, end)], PALE)
        chart.rectangle((x - DOT, y - DOT, x + DOT, y + DOT), fill=PALETTE[0])
    with replacing(path) as temporary:
        chart.image.save(temporary, "PNG", dpi=(DOTS_PER_INCH, DOTS_PER_INCH), optimize=True)


def _draw_axes(chart: Chart, steps: Sequence[int]) -> None:
    for tick in TICKS:
        y = _y(tick / 100)
        chart.line([(LEFT + MARGIN, y), (LEFT + MARGIN + WIDTH, y)], RULE)
        chart.text((LEFT + MARGIN - 6, y), f"{tick} %", SMALL, PALE, "rm")
    bottom, last = _y(0.0), max(steps, default=0)
    apart = max(1, -(-len(steps) * LABEL // WIDTH))  # every so many steps have a label
    for step in steps[::apart]:
        x = _place(step, last)
        chart.text((x, bottom + 4), str(step), SMALL, PALE, "ma")
    chart.text((LEFT + MARGIN + WIDTH / 2, bottom + 18), "taken over at control step", SMALL, INK, "ma")


def _x(step: int, shares: Sequence[StepShare]) -> float:
    return _place(step, shares[-1].step)


def _place(step: int, last: int) -> float:
    return LEFT + MARGIN + WIDTH * step / max(1, last)


def _y(share: float) -> float:
    return HEAD + HEIGHT * (1.0 - share)
