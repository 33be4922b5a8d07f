"""The histograms of a codebook's use: a row of bars over the code numbers for each task."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import ImageDraw

from ambidex.benchmarks.codes.code_use import CodeUse
from ambidex.benchmarks.codes.codebook_use import CodebookUse, Played
from ambidex.benchmarks.codes.codebook_words import counted
from ambidex.benchmarks.picture_words import INK, PALE, picture_font, shortened, text_width

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
    episodes = counted(own.episodes, "episode")
    return f"{played[1]}, {episodes}, perplexity {own.perplexity:.1f}, {own.used} of {len(own.shares)} codes used"
