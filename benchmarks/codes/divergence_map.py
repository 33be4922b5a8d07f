"""A matrix of divergences as a heat map with numbers."""

from dataclasses import dataclass

import numpy as np
from PIL import ImageDraw

from ambidex.benchmarks.picture_words import INK, PALE, PAPER, picture_font, text_width
from ambidex.envs.types import FloatArray

FULL = (12, 70, 94)
"""The colour of 1 bit; that of 0 is the paper's."""
CELL, HAIR, NAMES = 48, 2, 34  # cell, gap between cells, room for names at the left and above [px]
HEAD, SCALE, FOOT = 30, 14, 40  # room for the title; the scale below, its height and the room for it [px]
SMALL = 14  # font of numbers [px]
LEAST = 240  # width of the scale [px]
TITLE = "Jensen-Shannon divergence between tasks [bit]"


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
        return max(text_width(TITLE), NAMES + max(LEAST, self._side))

    @property
    def height(self) -> int:
        """Of all [px]."""
        return HEAD + NAMES + self._side + FOOT + SCALE

    def draw(self, draw: ImageDraw.ImageDraw, left: int, top: int) -> None:
        """Draw it; `left` and `top` [px]."""
        draw.text((left, top), TITLE, fill=INK, font=picture_font())
        left, top = left + NAMES, top + HEAD + NAMES
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
    draw.text(middle, f"{value:.2f}", fill=ink, font=picture_font(SMALL), anchor="mm")


def _draw_scale(draw: ImageDraw.ImageDraw, left: int, top: int) -> None:
    for column in range(LEAST):
        draw.line((left + column, top, left + column, top + SCALE - 1), fill=heat(column / (LEAST - 1)))
    draw.rectangle((left, top, left + LEAST - 1, top + SCALE - 1), outline=heat(0.3))
    for text, place, anchor in (("0 used alike", left, "la"), ("1 none shared", left + LEAST, "ra")):
        draw.text((place, top + SCALE + 4), text, fill=PALE, font=picture_font(SMALL), anchor=anchor)
