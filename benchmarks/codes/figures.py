"""The use of a codebook as one picture."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from ambidex.benchmarks.codes.drawing import INK, PALE, PAPER, picture_font, shortened, text_width
from ambidex.benchmarks.codes.report import headline, origin
from ambidex.benchmarks.codes.usage import CodebookUse, CodeUse, Played
from ambidex.envs.types import FloatArray, ImageArray
from ambidex.text import pluralize

MARGIN, BETWEEN, PICTURE_HEAD, PICTURE_TITLE = 20, 56, 70, 22  # [px]


def codebook_picture(use: CodebookUse) -> ImageArray:
    """Histograms of all tasks at the left, the divergences between them, if there are several, at the right.

    Returns:
        Shape (H, W, 3) uint8 RGB.
    """
    bars, maps = CodeBars(use=use), [DivergenceMap(matrix=use.between_tasks)] if len(use.tasks) > 1 else []
    width = 2 * MARGIN + bars.width + sum(BETWEEN + heat.width for heat in maps)
    height = 2 * MARGIN + PICTURE_HEAD + max(bars.height, *(heat.height for heat in maps), 0)
    image = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(image)
    room = width - 2 * MARGIN
    draw.text(
        (MARGIN, MARGIN), shortened(headline(use), room, PICTURE_TITLE), fill=INK, font=picture_font(PICTURE_TITLE)
    )
    draw.text((MARGIN, MARGIN + 32), shortened(origin(use), room), fill=PALE, font=picture_font())
    bars.draw(draw, MARGIN, MARGIN + PICTURE_HEAD)
    for heat in maps:
        heat.draw(draw, MARGIN + bars.width + BETWEEN, MARGIN + PICTURE_HEAD)
    return np.asarray(image)


# FOLDED benchmarks.codes.code_bars: The histograms of a codebook's use: a row of bars over the code numbers for each task.

ROBOTS = ((27, 106, 134), (214, 142, 20), (122, 75, 176), (171, 58, 40))
"""Colours of robots, the gallery's; names stand beside them, so a fifth may have the first's."""
RULE = (223, 224, 220)
BARS, WORDS, NUMBERS, GAP = 64, 54, 20, 14  # heights: bars, words above and numbers below them, gap to the next [px]
AXIS = 64  # room for shares at the left [px]
WIDTH = 860  # of the bars, about [px]
SMALL, SWATCH = 13, 11  # font, square of a robot's colour [px]
TICK_ROOM = 40  # between numbers of codes, at least [px]


@dataclass(frozen=True, kw_only=True)
class CodeBars:
    """The histograms of a codebook's use, all to one scale. A code that is used at all has a bar of 1 px or more."""

    use: CodebookUse

    @property
    def width(self) -> int:
        """Of all [px]."""
        return AXIS + self._pitch * self.use.size

    @property
    def height(self) -> int:
        """Of all [px]."""
        return len(self.use.tasks) * (WORDS + BARS + NUMBERS + GAP) - GAP

    def draw(self, draw: ImageDraw.ImageDraw, left: int, top: int) -> None:
        """Draw all rows; `left` and `top` [px]."""
        colours = robot_colours(self.use.robots)
        for number, (played, own) in enumerate(self.use.tasks.items(), start=1):
            self._words(draw, left, top, f"{number}  {played[0]}", _described(played, own), colours[played[1]])
            self._axis(draw, left, top + WORDS)
            self._bars(draw, left + AXIS, top + WORDS + BARS, own, colours[played[1]])
            top += WORDS + BARS + NUMBERS + GAP

    @property
    def _pitch(self) -> int:
        return max(2, WIDTH // self.use.size)

    @property
    def _highest(self) -> float:
        return max(float(own.shares.max()) for own in self.use.tasks.values())

    def _words(
        self, draw: ImageDraw.ImageDraw, left: int, top: int, title: str, described: str, colour: tuple[int, int, int]
    ) -> None:
        draw.text((left, top), shortened(title, self.width), fill=INK, font=picture_font())
        middle, side = top + 31, left + SWATCH
        draw.rectangle((left, middle - SWATCH // 2, side - 1, middle + SWATCH // 2), fill=colour)
        words = shortened(described, self.width - SWATCH - 7, SMALL)
        draw.text((side + 7, middle), words, fill=PALE, font=picture_font(SMALL), anchor="lm")

    def _axis(self, draw: ImageDraw.ImageDraw, left: int, top: int) -> None:
        start, end = left + AXIS, left + self.width - 1
        for share, height in ((self._highest, top), (0.0, top + BARS)):
            draw.line((start, height, end, height), fill=RULE)
            label = f"{100 * share:.3g} %"
            draw.text((start - 6, height), label, fill=PALE, font=picture_font(SMALL), anchor="rm")
        for code in range(0, self.use.size, self._every):
            middle = start + code * self._pitch + self._pitch // 2
            draw.text((middle, top + BARS + 4), str(code), fill=PALE, font=picture_font(SMALL), anchor="ma")

    @property
    def _every(self) -> int:
        """Of how many codes one has its number written."""
        room = max(TICK_ROOM, text_width(str(self.use.size), SMALL) + 8)
        return 1 << max(0, math.ceil(math.log2(room / self._pitch)))

    def _bars(
        self, draw: ImageDraw.ImageDraw, left: int, bottom: int, own: CodeUse, colour: tuple[int, int, int]
    ) -> None:
        gap = 1 if self._pitch > 3 else 0
        for code in own.most_used(self.use.size):
            height = max(1, round(BARS * float(own.shares[code]) / self._highest))
            start = left + code * self._pitch
            draw.rectangle((start, bottom - height, start + self._pitch - 1 - gap, bottom - 1), fill=colour)


def robot_colours(robots: Mapping[str, object]) -> dict[str, tuple[int, int, int]]:
    """The colour of each robot."""
    return {robot: ROBOTS[number % len(ROBOTS)] for number, robot in enumerate(robots)}


def _described(played: Played, own: CodeUse) -> str:
    episodes = pluralize(own.episodes, "episode")
    return f"{played[1]}, {episodes}, perplexity {own.perplexity:.1f}, {own.used} of {len(own.shares)} codes used"


# FOLDED benchmarks.codes.divergence_map: A matrix of divergences as a heat map with numbers.

FULL = (12, 70, 94)
"""The colour of 1 bit; that of 0 is the paper's."""
CELL, HAIR, NAMES = 48, 2, 34  # cell, gap between cells, room for names at the left and above [px]
MAP_HEAD, SCALE, FOOT = 30, 14, 40  # room for the title; the scale below, its height and the room for it [px]
SMALL_NUMBERS = 14  # font of numbers [px]
LEAST = 240  # width of the scale [px]
MAP_TITLE = "Jensen-Shannon divergence between tasks [bit]"


@dataclass(frozen=True, kw_only=True)
class DivergenceMap:
    """A matrix of divergences as a heat map. Its rows and columns are numbered from 1.

    Attributes:
        matrix: Shape (T, T), 0 to 1 [bit].
    """

    matrix: FloatArray

    @property
    def width(self) -> int:
        """Of all [px]."""
        return max(text_width(MAP_TITLE), NAMES + max(LEAST, self._side))

    @property
    def height(self) -> int:
        """Of all [px]."""
        return MAP_HEAD + NAMES + self._side + FOOT + SCALE

    def draw(self, draw: ImageDraw.ImageDraw, left: int, top: int) -> None:
        """Draw it; `left` and `top` [px]."""
        draw.text((left, top), MAP_TITLE, fill=INK, font=picture_font())
        left, top = left + NAMES, top + MAP_HEAD + NAMES
        for number in range(len(self.matrix)):
            middle = number * (CELL + HAIR) + CELL // 2
            draw.text((left - 8, top + middle), str(number + 1), fill=PALE, font=picture_font(), anchor="rm")
            draw.text((left + middle, top - 8), str(number + 1), fill=PALE, font=picture_font(), anchor="ms")
        for (row, column), value in np.ndenumerate(self.matrix):
            _draw_cell(draw, left + column * (CELL + HAIR), top + row * (CELL + HAIR), float(value))
        _draw_scale(draw, left, top + self._side + FOOT // 2)

    @property
    def _side(self) -> int:
        return len(self.matrix) * (CELL + HAIR) - HAIR


def heat(value: float) -> tuple[int, int, int]:
    """The colour of a divergence [bit]: the paper's for 0, darker and bluer for more."""
    red, green, blue = (round(none + value * (full - none)) for none, full in zip(PAPER, FULL, strict=True))
    return red, green, blue


def _draw_cell(draw: ImageDraw.ImageDraw, left: int, top: int, value: float) -> None:
    draw.rectangle((left, top, left + CELL - 1, top + CELL - 1), fill=heat(value), outline=heat(max(value, 0.15)))
    middle = (left + CELL // 2, top + CELL // 2)
    ink = INK if value < 0.5 else PAPER
    draw.text(middle, f"{value:.2f}", fill=ink, font=picture_font(SMALL_NUMBERS), anchor="mm")


def _draw_scale(draw: ImageDraw.ImageDraw, left: int, top: int) -> None:
    for column in range(LEAST):
        draw.line((left + column, top, left + column, top + SCALE - 1), fill=heat(column / (LEAST - 1)))
    draw.rectangle((left, top, left + LEAST - 1, top + SCALE - 1), outline=heat(0.3))
    for text, place, anchor in (("0 used alike", left, "la"), ("1 none shared", left + LEAST, "ra")):
        draw.text((place, top + SCALE + 4), text, fill=PALE, font=picture_font(SMALL_NUMBERS), anchor=anchor)
