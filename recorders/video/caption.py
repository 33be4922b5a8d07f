"""The text burned into a video."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ambidex.envs.types import NO_CODE, ImageArray

Colour = tuple[int, int, int]

BACKGROUND: Colour = (24, 26, 30)
TEXT: Colour = (235, 235, 235)
OUTCOMES: dict[str, Colour] = {"success": (110, 220, 120), "failure": (255, 130, 110), "error": (255, 190, 80)}
SMALLEST_FONT = 11  # still readable [px]
FONTS_PER_IMAGE = 22  # font sizes in the height of an image
ONE_LINE = 44  # font sizes of width that hold all text in one line
WIDEST_TIME = "000.00 s"
WIDEST_CODE = "code 000"
NO_STAGE = "no stage yet"  # what a caption says of stage 0, which every task calls "none"


@dataclass(frozen=True, kw_only=True)
class Caption:
    """What stands below a frame.

    Attributes:
        task: Task name.
        seed: Episode seed.
        time_s: Time since the episode began [s].
        stage: Name of the stage that holds now, as `stage_words` gives it.
        outcome: "success", "failure", "error", or empty while it is open.
        code: What the policy makes its actions from now; `NO_CODE` if there is none.
    """

    task: str
    seed: int
    time_s: float
    stage: str
    outcome: str
    code: int = NO_CODE


def stage_words(stages: Sequence[str], stage: int) -> str:
    """What a caption says of a stage, an index into a task's stages."""
    return stages[stage] if stage else NO_STAGE


class CaptionBar:
    """Draws captions into a bar of fixed size: one line where it is wide enough, else two.

    Args:
        width: Of the bar [px].
        image_height: Of one camera's image [px]; decides the size of the font.

    Attributes:
        height: Of the bar [px].
    """

    def __init__(self, width: int, image_height: int) -> None:
        self._size = max(SMALLEST_FONT, round(image_height / FONTS_PER_IMAGE))
        self._width = width
        self._margin = self._size // 2
        self._line = _text_image(WIDEST_TIME, self._size, TEXT).shape[0]
        self._lines = 1 if width >= ONE_LINE * self._size else 2
        self.height = self._lines * self._line + self._margin

    def draw(self, bar: ImageArray, caption: Caption) -> None:
        """Draw into `bar`, shape (height, width, 3) uint8. Only the time is new at each step; the rest is cached."""
        bar[:] = BACKGROUND
        second = (self._lines - 1) * self._line + self._margin // 2
        start = self._margin if self._lines == 2 else self._width // 2
        slot, code_slot = (_text_image(text, self._size, TEXT).shape[1] for text in (WIDEST_TIME, WIDEST_CODE))
        outcome = self._text(caption.outcome, self._width // 3, OUTCOMES.get(caption.outcome, TEXT))
        right = self._width - self._margin - outcome.shape[1]
        time = self._text(f"{caption.time_s:.2f} s", slot, TEXT)
        after_time = start + slot + self._size
        if caption.code != NO_CODE:
            _paste(bar, self._text(f"code {caption.code}", right - after_time, TEXT), after_time, second)
            after_time += code_slot + self._size
        _paste(bar, self._heading(caption), self._margin, self._margin // 2)
        _paste(bar, time, start, second)
        _paste(bar, self._text(caption.stage, right - after_time, TEXT), after_time, second)
        _paste(bar, outcome, right, second)

    def _heading(self, caption: Caption) -> ImageArray:
        room = self._width - 2 * self._margin if self._lines == 2 else self._width // 2 - 2 * self._margin
        seed = f"  seed {caption.seed}"
        task = _shortened(caption.task, room - _text_width(seed, self._size), self._size)
        return self._text(task + seed, room, TEXT)

    def _text(self, text: str, room: int, colour: Colour) -> ImageArray:
        return _text_image(_shortened(text, room, self._size), self._size, colour)


def _paste(bar: ImageArray, text: ImageArray, x: int, y: int) -> None:
    height, width = text.shape[:2]
    place = bar[y : y + height, x : x + width]
    place[:] = text[: place.shape[0], : place.shape[1]]


@lru_cache(maxsize=512)
def _text_image(text: str, size: int, colour: Colour) -> ImageArray:
    """Text on the background, shape (line height, text width, 3) uint8."""
    font = _font(size)
    ascent, descent = font.getmetrics() if isinstance(font, ImageFont.FreeTypeFont) else (size, 0)
    picture = Image.new("RGB", (max(_text_width(text, size), 1), ascent + descent), BACKGROUND)
    ImageDraw.Draw(picture).text((0, 0), text, fill=colour, font=font)
    return np.asarray(picture)


@lru_cache(maxsize=512)
def _shortened(text: str, room: int, size: int) -> str:
    """The text, or as much of it as fits into `room` pixels with dots at the end."""
    if _text_width(text, size) <= room:
        return text
    fitting = (text[:n] + "..." for n in range(len(text) - 1, 0, -1))
    return next((short for short in fitting if _text_width(short, size) <= room), "")


def _text_width(text: str, size: int) -> int:
    return round(_font(size).getlength(text) + 0.5)


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)
