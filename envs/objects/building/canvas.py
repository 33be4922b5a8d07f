"""Draws textures: labels with rectangles, discs and capital letters, and patterns."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ambidex.envs.objects.building.mesh import Colour
from ambidex.envs.types import FloatArray, ImageArray

FINE = 4  # samples per pixel in each direction, for anti-aliasing

# Letters of five by seven dots, one hexadecimal number per row, so that labels do not depend on any library's fonts.
ROWS, COLUMNS = 7, 5
_DOTS = """
A 0E 11 11 1F 11 11 11
B 1E 11 11 1E 11 11 1E
C 0E 11 10 10 10 11 0E
D 1E 11 11 11 11 11 1E
E 1F 10 10 1E 10 10 1F
F 1F 10 10 1E 10 10 10
G 0E 11 10 17 11 11 0F
H 11 11 11 1F 11 11 11
I 0E 04 04 04 04 04 0E
J 07 02 02 02 02 12 0C
K 11 12 14 18 14 12 11
L 10 10 10 10 10 10 1F
M 11 1B 15 15 11 11 11
N 11 11 19 15 13 11 11
O 0E 11 11 11 11 11 0E
P 1E 11 11 1E 10 10 10
Q 0E 11 11 11 15 12 0D
R 1E 11 11 1E 14 12 11
S 0F 10 10 0E 01 01 1E
T 1F 04 04 04 04 04 04
U 11 11 11 11 11 11 0E
V 11 11 11 11 11 0A 04
W 11 11 11 15 15 1B 11
X 11 11 0A 04 0A 11 11
Y 11 11 0A 04 04 04 04
Z 1F 01 02 04 08 10 1F
"""
_LETTERS = {line[0]: [int(row, 16) for row in line[1:].split()] for line in _DOTS.strip().split("\n")}
_LETTERS[" "] = [0] * ROWS


class Canvas:
    """A texture to draw on. Positions are fractions of width and height, from the upper left corner.

    Every method that draws returns the canvas, so that calls can be chained.
    """

    def __init__(self, width: int, height: int, colour: Colour) -> None:
        self._pixels = np.empty((height, width, 3))
        self._pixels[:] = colour
        self._width, self._height = width, height

    @property
    def image(self) -> ImageArray:
        """Shape (H, W, 3) uint8."""
        return np.rint(np.clip(self._pixels, 0.0, 1.0) * 255.0).astype(np.uint8)

    def rectangle(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> "Canvas":
        """Fill a rectangle."""
        rows = slice(round(top * self._height), round(bottom * self._height))
        self._pixels[rows, round(left * self._width) : round(right * self._width)] = colour
        return self

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> "Canvas":
        """Fill a disc; `radius` is a fraction of the height."""
        centre, size = (x * self._width, y * self._height), radius * self._height
        rows = _span(centre[1] - size, centre[1] + size, self._height)
        columns = _span(centre[0] - size, centre[0] + size, self._width)
        distance = np.hypot(
            np.arange(rows.start, rows.stop)[:, None] + 0.5 - centre[1],
            np.arange(columns.start, columns.stop)[None, :] + 0.5 - centre[0],
        )
        self._blend(rows, columns, np.clip(size - distance + 0.5, 0.0, 1.0), colour)
        return self

    def text(self, lines: str, x: float, y: float, colour: Colour, *, width: float, height: float) -> "Canvas":
        """Write lines of capital letters centred at (x, y), as large as fits into the given width and height."""
        parts = lines.split("\n")
        longest = max(len(line) for line in parts) * (COLUMNS + 1) - 1
        scale = min(width * self._width / longest, height * self._height / (len(parts) * (ROWS + 2) - 2))
        top = y * self._height - scale * (len(parts) * (ROWS + 2) - 2) / 2
        for index, line in enumerate(parts):
            self._line(line, x * self._width, top + scale * index * (ROWS + 2), scale, colour)
        return self

    def grain(self, strength: float, *, seed: int, stretch: Sequence[int] = (1, 8)) -> "Canvas":
        """Lighten and darken in streaks, as in wood: `stretch` is a streak's height and width [px]."""
        rows, columns = -(-self._height // stretch[0]), -(-self._width // stretch[1])
        noise = np.random.default_rng(seed).uniform(-1.0, 1.0, (rows, columns))
        streaks = np.kron(noise, np.ones(tuple(stretch)))[: self._height, : self._width]
        return self.shade(1.0 + strength * streaks)

    def shade(self, factors: npt.NDArray[np.floating]) -> "Canvas":
        """Lighten and darken by `factors` (H, W)."""
        self._pixels *= factors[..., None]
        return self

    def _line(self, line: str, middle: float, top: float, scale: float, colour: Colour) -> None:
        letters = np.pad(letter_dots(line), 1)  # samples outside fall on the empty margin
        height, width = ROWS, letters.shape[1] - 2
        left = middle - scale * width / 2
        rows = _span(top, top + scale * height, self._height)
        columns = _span(left, left + scale * width, self._width)
        row = np.floor((_samples(rows) - top) / scale).astype(int).clip(-1, height) + 1
        column = np.floor((_samples(columns) - left) / scale).astype(int).clip(-1, width) + 1
        samples = letters[np.ix_(row, column)].reshape(-1, FINE, len(column) // FINE, FINE)
        self._blend(rows, columns, samples.sum(axis=3).sum(axis=1) / FINE**2, colour)

    def _blend(self, rows: slice, columns: slice, coverage: FloatArray, colour: Colour) -> None:
        part = self._pixels[rows, columns]
        part += coverage[..., None] * (np.array(colour) - part)


def letter_dots(text: str) -> npt.NDArray[np.bool_]:
    """Which dots of a line of text are set, shape (7, 6 * letters - 1). Letters A to Z and spaces."""
    lines = np.zeros((ROWS, len(text) * (COLUMNS + 1)), np.bool_)
    for index, letter in enumerate(text):
        start = index * (COLUMNS + 1)
        for row, bits in enumerate(_LETTERS[letter]):
            lines[row, start : start + COLUMNS] = [bool(bits >> (COLUMNS - 1 - c) & 1) for c in range(COLUMNS)]
    return lines[:, :-1]


def _span(low: float, high: float, length: int) -> slice:
    """The pixels between two positions, and one more on either side."""
    return slice(max(int(low) - 1, 0), max(min(int(high) + 2, length), 0))


def _samples(span: slice) -> FloatArray:
    """Positions of the samples in a span of pixels."""
    positions: FloatArray = span.start + (np.arange((span.stop - span.start) * FINE) + 0.5) / FINE
    return positions
