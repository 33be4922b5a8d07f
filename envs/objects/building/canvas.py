"""Draws labels and patterns, dot by dot."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ambidex.envs.types import FloatArray, ImageArray

Ink = tuple[float, float, float]
FINE = 4  # samples to a dot each way, for soft edges


class Canvas:
    """A small picture in the making. Places are fractions of its width and height, from its upper left corner."""

    def __init__(self, width: int, height: int, ink: Ink) -> None:
        self._dots = np.empty((height, width, 3))
        self._dots[:] = ink
        self._width, self._height = width, height

    @property
    def image(self) -> ImageArray:
        """Shape (H, W, 3) uint8."""
        return np.rint(np.clip(self._dots, 0.0, 1.0) * 255.0).astype(np.uint8)

    def block(self, left: float, top: float, right: float, bottom: float, ink: Ink) -> "Canvas":
        """Fill a rectangle."""
        rows = slice(round(top * self._height), round(bottom * self._height))
        self._dots[rows, round(left * self._width) : round(right * self._width)] = ink
        return self

    def disc(self, x: float, y: float, radius: float, ink: Ink) -> "Canvas":
        """Fill a disc with a soft edge; `radius` is a fraction of the height."""
        centre, size = (x * self._width, y * self._height), radius * self._height
        rows = _span(centre[1] - size, centre[1] + size, self._height)
        columns = _span(centre[0] - size, centre[0] + size, self._width)
        distance = np.hypot(
            np.arange(rows.start, rows.stop)[:, None] + 0.5 - centre[1],
            np.arange(columns.start, columns.stop)[None, :] + 0.5 - centre[0],
        )
        self._blend(rows, columns, np.clip(size - distance + 0.5, 0.0, 1.0), ink)
        return self

    def text(self, words: str, x: float, y: float, ink: Ink, *, width: float, height: float) -> "Canvas":
        """Write lines of capitals centred at (x, y), as large as fits into the given width and height.

        Args:
            words: Lines, parted by line breaks.
            x: Middle, from the left.
            y: Middle, from the top.
            ink: Colour of the letters.
            width: Most it may cover.
            height: Most it may cover.
        """
        lines = words.split("\n")
        longest = max(len(line) for line in lines) * (COLUMNS + 1) - 1
        scale = min(width * self._width / longest, height * self._height / (len(lines) * (ROWS + 2) - 2))
        top = y * self._height - scale * (len(lines) * (ROWS + 2) - 2) / 2
        for index, line in enumerate(lines):
            self._line(line, x * self._width, top + scale * index * (ROWS + 2), scale, ink)
        return self

    def grain(self, strength: float, *, seed: int, stretch: Sequence[int] = (1, 8)) -> "Canvas":
        """Lighten and darken in streaks, as in wood: `stretch` is a streak's height and width in dots."""
        rows, columns = -(-self._height // stretch[0]), -(-self._width // stretch[1])
        noise = np.random.default_rng(seed).uniform(-1.0, 1.0, (rows, columns))
        streaks = np.kron(noise, np.ones(tuple(stretch)))[: self._height, : self._width]
        return self.shaded(1.0 + strength * streaks)

    def shaded(self, factors: npt.NDArray[np.floating]) -> "Canvas":
        """Lighten and darken by `factors` (H, W)."""
        self._dots *= factors[..., None]
        return self

    def _line(self, line: str, middle: float, top: float, scale: float, ink: Ink) -> None:
        letters = np.pad(dots(line), 1)  # what lies outside falls on the empty margin
        height, width = ROWS, letters.shape[1] - 2
        left = middle - scale * width / 2
        rows = _span(top, top + scale * height, self._height)
        columns = _span(left, left + scale * width, self._width)
        row = np.floor((_fine(rows) - top) / scale).astype(int).clip(-1, height) + 1
        column = np.floor((_fine(columns) - left) / scale).astype(int).clip(-1, width) + 1
        samples = letters[np.ix_(row, column)].reshape(-1, FINE, len(column) // FINE, FINE)
        self._blend(rows, columns, samples.sum(axis=3).sum(axis=1) / FINE**2, ink)

    def _blend(self, rows: slice, columns: slice, cover: FloatArray, ink: Ink) -> None:
        part = self._dots[rows, columns]
        part += cover[..., None] * (np.array(ink) - part)


def _span(low: float, high: float, length: int) -> slice:
    """The dots that lie between two places, and one more on either side."""
    return slice(max(int(low) - 1, 0), max(min(int(high) + 2, length), 0))


def _fine(span: slice) -> FloatArray:
    """Places of the samples in some dots."""
    places: FloatArray = span.start + (np.arange((span.stop - span.start) * FINE) + 0.5) / FINE
    return places


# FOLDED envs.objects.lettering: Capital letters of five by seven dots, so that labels look the same with every version of every library.

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
_LETTERS = {line[0]: [int(row, 16) for row in line[1:].split()] for line in _DOTS.split("\n") if line} | {
    " ": [0] * ROWS
}
_LEFTMOST = 1 << (COLUMNS - 1)


def dots(text: str) -> npt.NDArray[np.bool_]:
    """Which dots of a line of text are set, shape (7, 6 * letters - 1). Letters A to Z and spaces."""
    lines = np.zeros((ROWS, len(text) * (COLUMNS + 1)), np.bool_)
    for index, letter in enumerate(text):
        start = index * (COLUMNS + 1)
        for row, bits in enumerate([0] * ROWS if letter == " " else _LETTERS[letter]):
            lines[row, start : start + COLUMNS] = [
                bool(bits >> (COLUMNS - 1 - column) & 1) for column in range(COLUMNS)
            ]
    return lines[:, :-1]
