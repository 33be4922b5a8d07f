"""Draws the trajectories of a dataset: a panel for each dimension, a line for each episode."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ambidex.atomic_files import replacing
from ambidex.envs.types import Float32Array, Outcome
from ambidex.errors import UsageError
from ambidex.recorders.inspection.dimensions import Dimension
from ambidex.recorders.inspection.inspect import Inspection, Track
from ambidex.recorders.video.caption import font, shortened
from ambidex.text import pluralize

Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]

ENDING = ".png"
MAX_EPISODES = 100
COLUMNS = 4
# All lengths in pixels of the finished image; lines are drawn at twice its size, which smooths them.
SCALE = 2
PANEL, HEAD, FOOT, AXIS, GAP, MARGIN, TOP = (280, 110), 20, 18, 52, 16, 16, 56
SMALL, LARGE = 12, 18
COLOURS = 256  # of the file, which makes it half as large
INK: Colour = (28, 32, 36)
PALE: Colour = (86, 94, 104)
RULE: Colour = (223, 224, 220)
PAPER: Colour = (255, 255, 255)
STATE: Colour = (27, 106, 134)
ACTION: Colour = (214, 142, 20)
FAILED: Colour = (171, 58, 40)


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
    image = Image.new("RGB", (SCALE * size[0], SCALE * size[1]), PAPER)
    figure = _Drawing(ImageDraw.Draw(image, "RGBA"))
    figure.text((MARGIN, MARGIN), shortened(_title(inspection, tracks), size[0] - 2 * MARGIN, LARGE), INK, LARGE)
    figure.legend((MARGIN, MARGIN + 28), inspection, tracks)
    for number, lines in enumerate(panels):
        row, column = divmod(number, columns)
        left, top = MARGIN + column * cell[0] + AXIS, TOP + MARGIN + row * cell[1] + HEAD
        _draw_panel(figure, (left, top, left + PANEL[0], top + PANEL[1]), inspection, lines, tracks)
    return image.resize(size, Image.Resampling.LANCZOS).quantize(COLOURS, Image.Quantize.MAXCOVERAGE)


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
    figure: "_Drawing", box: Box, inspection: Inspection, lines: Sequence[Line], tracks: Sequence[Track]
) -> None:
    low, high = min(each.minimum for *_, each in lines), max(each.maximum for *_, each in lines)
    longest = max(len(track.state) for track in tracks)
    dimension = lines[-1][-1]
    figure.frame(box, dimension.name + (f" [{dimension.unit}]" if dimension.unit else ""), low, high)
    figure.text((box[2], box[3] + 3), f"{longest / inspection.control_hz:.1f} s", PALE, SMALL, "ra")
    alpha = max(40, round(255 / math.sqrt(len(tracks))))
    for is_action, number, _ in lines:
        for track in tracks:
            values = (track.action if is_action else track.state)[:, number]
            colour = ACTION if is_action else STATE if track.outcome is Outcome.SUCCESS else FAILED
            figure.curve(box, values, longest, (low, high), (*colour, alpha))


class _Drawing:
    """Draws at `SCALE` times the size; all arguments are in pixels of the finished image."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        self._draw = draw

    def text(self, place: tuple[int, int], text: str, colour: Colour, size: int, anchor: str = "la") -> None:
        x, y = (SCALE * each for each in place)
        self._draw.text((x, y), text, fill=colour, font=font(SCALE * size), anchor=anchor)

    def legend(self, place: tuple[int, int], inspection: Inspection, tracks: Sequence[Track]) -> None:
        x, y = place
        failed = any(track.outcome is not Outcome.SUCCESS for track in tracks)
        entries = [("state", STATE), ("action", ACTION), *([("state of failures", FAILED)] if failed else [])]
        for name, colour in entries:
            self._draw.rectangle([SCALE * each for each in (x, y + 6, x + 18, y + 9)], fill=colour)
            self.text((x + 24, y), name, PALE, SMALL)
            x += 24 + round(font(SMALL).getlength(name)) + 20

    def frame(self, box: Box, title: str, low: float, high: float) -> None:
        left, top, right, bottom = box
        self._draw.rectangle([SCALE * each for each in box], outline=RULE, width=SCALE)
        self.text((left, top - 4), shortened(title, right - left, SMALL), INK, SMALL, "ld")
        for value, y, anchor in ((high, top, "ra"), (low, bottom, "rd")):
            self.text((left - 6, y), f"{value:.3g}", PALE, SMALL, anchor)

    def curve(
        self,
        box: Box,
        values: Float32Array,
        longest: int,
        limits: tuple[float, float],
        colour: tuple[int, int, int, int],
    ) -> None:
        """Values over time; a dimension that is constant lies in the middle."""
        left, top, right, bottom = (SCALE * each for each in box)
        low, high = limits
        x = left + np.arange(len(values)) * ((right - left) / max(1, longest - 1))
        share = (values.astype(np.float64) - low) / (high - low) if high > low else np.full(len(values), 0.5)
        points = np.stack([x, bottom - share * (bottom - top)], axis=1)
        self._draw.line([(float(a), float(b)) for a, b in points], fill=colour, width=SCALE)
