"""Draws the usage of a codebook: a histogram of codes for each task, and a heat map of divergences between tasks."""

import math
from dataclasses import dataclass
from itertools import cycle

import numpy as np
from PIL import Image, ImageDraw

from ambidex.benchmarks.codes.drawing import FONT
from ambidex.benchmarks.codes.report import headline, origin
from ambidex.benchmarks.codes.usage import CodebookUsage, CodeUsage
from ambidex.envs.types import FloatArray, ImageArray
from ambidex.recorders.inspection.chart import INK, PALE, PALETTE, PAPER, RULE, Colour
from ambidex.recorders.video.caption import font, shortened, text_width
from ambidex.text import pluralize

# Whole image [px]
MARGIN, BETWEEN, HEAD = 20, 56, 70  # at its edges; between histograms and heat map; for the title
TITLE_FONT, SMALL_FONT, NUMBER_FONT = 22, 13, 14

# Histograms [px]
BARS, TEXT, NUMBERS, GAP = 64, 54, 20, 14  # heights of the bars, the text above, the codes below, and the gap
AXIS = 64  # width of the shares at the left
WIDTH = 860  # of all bars, about
SWATCH = 11  # square in a robot's colour
TICK_WIDTH = 40  # between the numbers of codes, at least

# Heat map [px]
CELL, HAIR, NAMES = 48, 2, 34  # side of a cell; between cells; for the numbers at the left and above
MAP_HEAD, SCALE, FOOT = 30, 14, 40  # heights of the title, of the colour scale, and of the gap above it
SCALE_WIDTH = 240
MAP_TITLE = "Jensen-Shannon divergence between tasks [bit]"
ONE_BIT: Colour = (12, 70, 94)
"""The colour of 1 bit; 0 bits have the colour of the paper."""


def codebook_image(usage: CodebookUsage) -> ImageArray:
    """The histograms of all tasks and, if there are several, their divergences: shape (H, W, 3) uint8 RGB."""
    bars, maps = CodeBars(usage=usage), [DivergenceMap(matrix=usage.task_divergences)] if len(usage.tasks) > 1 else []
    width = 2 * MARGIN + bars.width + sum(BETWEEN + heat_map.width for heat_map in maps)
    height = 2 * MARGIN + HEAD + max(bars.height, *(heat_map.height for heat_map in maps), 0)
    image = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(image)
    inner = width - 2 * MARGIN
    _text(draw, (MARGIN, MARGIN), shortened(headline(usage), inner, TITLE_FONT), INK, TITLE_FONT)
    _text(draw, (MARGIN, MARGIN + 32), shortened(origin(usage), inner, FONT), PALE)
    bars.draw(draw, MARGIN, MARGIN + HEAD)
    for heat_map in maps:
        heat_map.draw(draw, MARGIN + bars.width + BETWEEN, MARGIN + HEAD)
    return np.asarray(image)


def _text(
    draw: ImageDraw.ImageDraw, place: tuple[int, int], text: str, fill: Colour, size: int = FONT, anchor: str = "la"
) -> None:
    draw.text(place, text, fill=fill, font=font(size), anchor=anchor)


@dataclass(frozen=True, kw_only=True)
class CodeBars:
    """The histograms of a codebook's usage, all to one scale. The bar of a code that is used has at least 1 px."""

    usage: CodebookUsage

    @property
    def width(self) -> int:
        """Of all histograms [px]."""
        return AXIS + self._pitch * self.usage.size

    @property
    def height(self) -> int:
        """Of all histograms [px]."""
        return len(self.usage.tasks) * (TEXT + BARS + NUMBERS + GAP) - GAP

    def draw(self, draw: ImageDraw.ImageDraw, left: int, top: int) -> None:
        """Draw one histogram below the other; `left` and `top` [px]."""
        colours = dict(zip(self.usage.robots, cycle(PALETTE), strict=False))
        for number, ((task, robot), own) in enumerate(self.usage.tasks.items(), start=1):
            numbers = f"perplexity {own.perplexity:.1f}, {own.used} of {len(own.shares)} codes used"
            lines = (f"{number}  {task}", f"{robot}, {pluralize(own.episodes, 'episode')}, {numbers}")
            self._draw_text(draw, left, top, lines, colours[robot])
            self._draw_axis(draw, left, top + TEXT)
            self._draw_bars(draw, left + AXIS, top + TEXT + BARS, own, colours[robot])
            top += TEXT + BARS + NUMBERS + GAP

    @property
    def _pitch(self) -> int:
        return max(2, WIDTH // self.usage.size)

    @property
    def _highest(self) -> float:
        return max(float(own.shares.max()) for own in self.usage.tasks.values())

    @property
    def _tick_step(self) -> int:
        """One of so many codes has its number written."""
        width = max(TICK_WIDTH, text_width(str(self.usage.size), SMALL_FONT) + 8)
        return 1 << max(0, math.ceil(math.log2(width / self._pitch)))

    def _draw_text(
        self, draw: ImageDraw.ImageDraw, left: int, top: int, lines: tuple[str, str], colour: Colour
    ) -> None:
        title, description = lines
        _text(draw, (left, top), shortened(title, self.width, FONT), INK)
        middle, side = top + 31, left + SWATCH
        draw.rectangle((left, middle - SWATCH // 2, side - 1, middle + SWATCH // 2), fill=colour)
        description = shortened(description, self.width - SWATCH - 7, SMALL_FONT)
        _text(draw, (side + 7, middle), description, PALE, SMALL_FONT, "lm")

    def _draw_axis(self, draw: ImageDraw.ImageDraw, left: int, top: int) -> None:
        start, end = left + AXIS, left + self.width - 1
        for share, height in ((self._highest, top), (0.0, top + BARS)):
            draw.line((start, height, end, height), fill=RULE)
            _text(draw, (start - 6, height), f"{100 * share:.3g} %", PALE, SMALL_FONT, "rm")
        for code in range(0, self.usage.size, self._tick_step):
            middle = start + code * self._pitch + self._pitch // 2
            _text(draw, (middle, top + BARS + 4), str(code), PALE, SMALL_FONT, "ma")

    def _draw_bars(self, draw: ImageDraw.ImageDraw, left: int, bottom: int, own: CodeUsage, colour: Colour) -> None:
        gap = 1 if self._pitch > 3 else 0
        for code in own.most_used(self.usage.size):
            height = max(1, round(BARS * float(own.shares[code]) / self._highest))
            start = left + code * self._pitch
            draw.rectangle((start, bottom - height, start + self._pitch - 1 - gap, bottom - 1), fill=colour)


@dataclass(frozen=True, kw_only=True)
class DivergenceMap:
    """A matrix of divergences as a heat map with numbers. Its rows and columns are numbered from 1.

    Attributes:
        matrix: Shape (T, T), 0 to 1 [bit].
    """

    matrix: FloatArray

    @property
    def width(self) -> int:
        """Of the map with its title [px]."""
        return max(text_width(MAP_TITLE, FONT), NAMES + max(SCALE_WIDTH, self._side))

    @property
    def height(self) -> int:
        """Of the map with its title and scale [px]."""
        return MAP_HEAD + NAMES + self._side + FOOT + SCALE

    def draw(self, draw: ImageDraw.ImageDraw, left: int, top: int) -> None:
        """Draw the map; `left` and `top` [px]."""
        _text(draw, (left, top), MAP_TITLE, INK)
        left, top = left + NAMES, top + MAP_HEAD + NAMES
        for number in range(len(self.matrix)):
            middle = number * (CELL + HAIR) + CELL // 2
            _text(draw, (left - 8, top + middle), str(number + 1), PALE, anchor="rm")
            _text(draw, (left + middle, top - 8), str(number + 1), PALE, anchor="ms")
        for (row, column), value in np.ndenumerate(self.matrix):
            _draw_cell(draw, left + column * (CELL + HAIR), top + row * (CELL + HAIR), float(value))
        _draw_scale(draw, left, top + self._side + FOOT // 2)

    @property
    def _side(self) -> int:
        return len(self.matrix) * (CELL + HAIR) - HAIR


def divergence_colour(value: float) -> Colour:
    """The colour of a divergence [bit]: that of the paper for 0, darker and bluer for more."""
    red, green, blue = (round(none + value * (full - none)) for none, full in zip(PAPER, ONE_BIT, strict=True))
    return red, green, blue


def _draw_cell(draw: ImageDraw.ImageDraw, left: int, top: int, value: float) -> None:
    fill, outline = divergence_colour(value), divergence_colour(max(value, 0.15))
    draw.rectangle((left, top, left + CELL - 1, top + CELL - 1), fill=fill, outline=outline)
    middle = (left + CELL // 2, top + CELL // 2)
    _text(draw, middle, f"{value:.2f}", INK if value < 0.5 else PAPER, NUMBER_FONT, "mm")


def _draw_scale(draw: ImageDraw.ImageDraw, left: int, top: int) -> None:
    for column in range(SCALE_WIDTH):
        colour = divergence_colour(column / (SCALE_WIDTH - 1))
        draw.line((left + column, top, left + column, top + SCALE - 1), fill=colour)
    draw.rectangle((left, top, left + SCALE_WIDTH - 1, top + SCALE - 1), outline=divergence_colour(0.3))
    _text(draw, (left, top + SCALE + 4), "0 used alike", PALE, NUMBER_FONT, "la")
    _text(draw, (left + SCALE_WIDTH, top + SCALE + 4), "1 none shared", PALE, NUMBER_FONT, "ra")
