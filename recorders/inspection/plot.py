"""Draws the trajectories of a dataset: a panel for each dimension, a line for each episode."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ambidex.atomic_files import replacing
from ambidex.envs.types import Float32Array, Outcome
from ambidex.errors import UsageError
from ambidex.recorders.inspection.chart import PALE, PALETTE, RULE, Chart, Colour
from ambidex.recorders.inspection.dimensions import Dimension
from ambidex.recorders.inspection.inspect import Inspection, Track
from ambidex.recorders.video.caption import shortened, text_width
from ambidex.text import pluralize

ENDING = ".png"
MAX_EPISODES = 100
COLUMNS = 4
COLOURS = 256  # of the file, which makes it half as large
SCALE = 2
PANEL, HEAD, FOOT, AXIS, GAP, MARGIN, TOP = (280, 110), 20, 18, 52, 16, 16, 56  # [px]
SMALL, LARGE = 12, 18  # font sizes [px]
STATE, ACTION, _, FAILED = PALETTE

PanelBox = tuple[int, int, int, int]


def plot_tracks(path: Path, inspection: Inspection, tracks: Sequence[Track]) -> None:
    """Write a PNG file; of more than `MAX_EPISODES` episodes it shows so many, evenly chosen.

    Raises:
        UsageError: The name of the file does not end in .png.
        DatasetError: It cannot be written.
    """
    if path.suffix != ENDING:
        raise UsageError(f"--plot {path}: expected a name that ends in {ENDING}.", path=path, expected=ENDING)
    chosen = [tracks[i] for i in np.linspace(0, len(tracks) - 1, min(len(tracks), MAX_EPISODES)).round().astype(int)]
    image = _figure(inspection, chosen)
    with replacing(path) as temporary:
        image.save(temporary, "PNG", optimize=True)


def _figure(inspection: Inspection, tracks: Sequence[Track]) -> Image.Image:
    panels = _panels(inspection)
    columns = min(COLUMNS, len(panels))
    cell = (AXIS + PANEL[0] + GAP, HEAD + PANEL[1] + FOOT + GAP)
    rows = math.ceil(len(panels) / columns)
    size = (2 * MARGIN + columns * cell[0] - GAP, TOP + rows * cell[1] - GAP + 2 * MARGIN)
    chart = Chart(size, SCALE)
    chart.text((MARGIN, MARGIN), shortened(_title(inspection, tracks), size[0] - 2 * MARGIN, LARGE), LARGE)
    _draw_legend(chart, (MARGIN, MARGIN + 28), tracks)
    for number, lines in enumerate(panels):
        row, column = divmod(number, columns)
        left, top = MARGIN + column * cell[0] + AXIS, TOP + MARGIN + row * cell[1] + HEAD
        _draw_panel(chart, (left, top, left + PANEL[0], top + PANEL[1]), inspection, lines, tracks)
    return chart.smoothed().quantize(COLOURS, Image.Quantize.MAXCOVERAGE)


Line = tuple[bool, int, Dimension]
"""Of a panel: whether it is an action, its number, and the dimension."""


def _panels(inspection: Inspection) -> list[list[Line]]:
    """State and action of one name share a panel."""
    state: list[Line] = [(False, i, each) for i, each in enumerate(inspection.state)]
    action: list[Line] = [(True, i, each) for i, each in enumerate(inspection.action)]
    if _names(state) == _names(action):
        return [list(pair) for pair in zip(action, state, strict=True)]
    return [[line] for line in (*state, *action)]


def _names(lines: Sequence[Line]) -> list[str]:
    return [dimension.name for _, _, dimension in lines]


def _title(inspection: Inspection, tracks: Sequence[Track]) -> str:
    shown = f", {len(tracks)} shown" if len(tracks) < len(inspection.episodes) else ""
    return f"{inspection.path}: {pluralize(len(inspection.episodes), 'episode')} of {inspection.task}{shown}"


def _draw_panel(
    chart: Chart, box: PanelBox, inspection: Inspection, lines: Sequence[Line], tracks: Sequence[Track]
) -> None:
    limits = min(each.minimum for *_, each in lines), max(each.maximum for *_, each in lines)
    longest = max(len(track.state) for track in tracks)
    _draw_frame(chart, box, lines[-1][-1], limits, longest / inspection.control_hz)
    opacity = max(40, round(255 / math.sqrt(len(tracks))))
    for is_action, number, _ in lines:
        for track in tracks:
            values = (track.action if is_action else track.state)[:, number]
            colour = ACTION if is_action else STATE if track.outcome is Outcome.SUCCESS else FAILED
            chart.line(_curve(box, values, longest, limits), colour, opacity)


def _draw_frame(chart: Chart, box: PanelBox, dimension: Dimension, limits: tuple[float, float], seconds: float) -> None:
    left, top, right, bottom = box
    unit = f" [{dimension.unit}]" if dimension.unit else ""
    chart.rectangle(box, outline=RULE)
    chart.text((left, top - 4), shortened(dimension.name + unit, right - left, SMALL), SMALL, anchor="ld")
    chart.text((left - 6, top), f"{limits[1]:.3g}", SMALL, PALE, "ra")
    chart.text((left - 6, bottom), f"{limits[0]:.3g}", SMALL, PALE, "rd")
    chart.text((right, bottom + 3), f"{seconds:.1f} s", SMALL, PALE, "ra")


def _curve(box: PanelBox, values: Float32Array, longest: int, limits: tuple[float, float]) -> list[tuple[float, float]]:
    """Values over time; a dimension that is constant lies in the middle."""
    left, top, right, bottom = box
    low, high = limits
    x = left + np.arange(len(values)) * ((right - left) / max(1, longest - 1))
    share = (values.astype(np.float64) - low) / (high - low) if high > low else np.full(len(values), 0.5)
    return list(zip(x.tolist(), (bottom - share * (bottom - top)).tolist(), strict=True))


def _draw_legend(chart: Chart, place: tuple[int, int], tracks: Sequence[Track]) -> None:
    x, y = place
    failed = any(track.outcome is not Outcome.SUCCESS for track in tracks)
    entries: list[tuple[str, Colour]] = [("state", STATE), ("action", ACTION)]
    for name, colour in [*entries, *([("state of failures", FAILED)] if failed else [])]:
        chart.rectangle((x, y + 6, x + 18, y + 9), fill=colour)
        chart.text((x + 24, y), name, SMALL, PALE)
        x += 24 + text_width(name, SMALL) + 20
