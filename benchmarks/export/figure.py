"""Draws success rates as bars with their intervals."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

from ambidex.atomic_files import replacing
from ambidex.benchmarks.export.entries import TASK, Entry, Line
from ambidex.benchmarks.results.tally import Tally
from ambidex.recorders.inspection.chart import INK, PALE, PALETTE, RULE, Chart, Colour
from ambidex.recorders.video.caption import shortened, text_width

SCALE = 4  # of the design: 72 of its pixels are an inch
DOTS_PER_INCH = 72 * SCALE
BAR, GAP, MARGIN, HEAD, FOOT, ROW = 11, 8, 14, 22, 22, 12  # heights and gaps [px]
WIDTH, VALUE, NAMES = 320, 34, 300  # of the bars, of the numbers beside them, and of the names at most [px]
FONT, SMALL = 10, 9
TICKS = (0, 25, 50, 75, 100)  # [%]


Group = tuple[str, Colour, Sequence[tuple[str, Tally]]]
"""Some bars that stand together: their label and its colour, and name -> counts of each bar."""


def write_figure(path: Path, entries: Sequence[Entry], lines: Sequence[Line], caption: str) -> None:
    """Write a PNG or PDF file of 288 dots per inch: a group of bars for each line, and in it a bar for each entry.

    Raises:
        DatasetError: It cannot be written.
    """
    write_bars(
        path,
        [
            (
                line.name,
                PALE if line.kind == TASK else INK,
                [(entry.name, entry.tally(line.tasks)) for entry in entries],
            )
            for line in lines
        ],
        caption,
    )


def write_bars(path: Path, groups: Sequence[Group], caption: str) -> None:
    """Write a PNG or PDF file of 288 dots per inch; bars without episodes are left out.

    Raises:
        DatasetError: It cannot be written.
    """
    chart = _chart([(label, ink, [bar for bar in bars if bar[1].n]) for label, ink, bars in groups], caption)
    with replacing(path) as temporary:
        if path.suffix == ".pdf":
            chart.image.save(temporary, "PDF", resolution=DOTS_PER_INCH, quality=95)
        else:
            chart.image.save(temporary, "PNG", dpi=(DOTS_PER_INCH, DOTS_PER_INCH), optimize=True)


def _chart(groups: Sequence[Group], caption: str) -> Chart:
    left = MARGIN + min(NAMES, max(text_width(label, FONT) for label, _, _ in groups)) + GAP
    width = left + WIDTH + VALUE + MARGIN
    names = list(dict.fromkeys(name for _, _, bars in groups for name, _ in bars))
    legend = _legend_rows(names, width - left - MARGIN)
    top = MARGIN + HEAD + ROW * (len(legend) - 1)
    bottom = top + sum(len(bars) * BAR + GAP for _, _, bars in groups)
    text = _wrapped(caption, width - 2 * MARGIN)
    chart = Chart((width, bottom + FOOT + len(text) * ROW + MARGIN), SCALE)
    colours = dict(zip(names, cycle(PALETTE), strict=False))
    for row, listed in enumerate(legend):
        _draw_legend(chart, (left, MARGIN + ROW * row), {name: colours[name] for name in listed})
    _draw_axis(chart, left, top, bottom)
    y = top + GAP / 2
    for label, ink, bars in groups:
        middle = y + len(bars) * BAR / 2
        chart.text((left - GAP, middle), shortened(label, left - MARGIN - GAP, FONT), FONT, ink, "rm")
        for row, (name, tally) in enumerate(bars):
            _draw_bar(chart, (left, y + row * BAR), tally, colours[name])
        y += len(bars) * BAR + GAP
    for row, part in enumerate(text):
        chart.text((MARGIN, bottom + FOOT + ROW * row), part, SMALL, PALE)
    return chart


def _draw_axis(chart: Chart, left: int, top: int, bottom: int) -> None:
    for tick in TICKS:
        x = left + WIDTH * tick / 100
        chart.line([(x, top), (x, bottom)], RULE)
        chart.text((x, bottom + 3), f"{tick} %", SMALL, PALE, "ma")


def _draw_bar(chart: Chart, place: tuple[float, float], tally: Tally, colour: Colour) -> None:
    x, y = place
    low, high = (x + WIDTH * end for end in tally.interval)
    middle, end = y + BAR / 2, x + WIDTH * (tally.rate or 0.0)
    if end > x:
        chart.rectangle((x, y + 1, end, y + BAR - 1), fill=colour)
    chart.line([(low, middle), (high, middle)], INK)
    for whisker in (low, high):
        chart.line([(whisker, middle - 3), (whisker, middle + 3)], INK)
    chart.text((x + WIDTH + 6, middle), f"{100 * (tally.rate or 0.0):.1f}", SMALL, INK, "lm")


def _draw_legend(chart: Chart, place: tuple[float, float], colours: dict[str, Colour]) -> None:
    x, y = place
    for name, colour in colours.items():
        chart.rectangle((x, y + 2, x + 9, y + 10), fill=colour)
        chart.text((x + 14, y), name, FONT)
        x += _legend_width(name)


def _legend_rows(names: Sequence[str], width: float) -> list[list[str]]:
    """The names of the legend in rows no wider than this [px]; a name that is wider has a row of its own."""
    rows: list[list[str]] = []
    for name in names:
        if rows and sum(map(_legend_width, (*rows[-1], name))) <= width:
            rows[-1].append(name)
        else:
            rows.append([name])
    return rows


def _legend_width(name: str) -> float:
    return 14 + text_width(name, FONT) + 16


def _wrapped(text: str, width: float) -> list[str]:
    """The text in lines no wider than this [px]."""
    rows = [""]
    for word in text.split():
        longer = f"{rows[-1]} {word}".strip()
        if text_width(longer, SMALL) <= width:
            rows[-1] = longer
        else:
            rows.append(word)
    return rows
