"""Draws the captions of videos: task, seed, time, stage and outcome."""

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
ONE_LINE = 44  # font sizes in the width of a bar that has room for all text in one line
WIDEST_TIME = "000.00 s"
WIDEST_CODE = "code 000"
NO_STAGE = "no stage"  # for stage 0, which every task calls "none"


@dataclass(frozen=True, kw_only=True)
class Caption:
    """The text below a frame.

    Attributes:
        task: Task name.
        seed: Episode seed.
        time_s: Time since the episode started [s].
        stage: Name of the stage that holds now, as `stage_label` gives it.
        outcome: "success", "failure", "error", or empty while it is unknown.
        code: Of the policy's codebook, behind the actions now; `NO_CODE` if the policy has none.
        perturb: Axes of perturbation with levels; empty for a clean episode.
    """

    task: str
    seed: int
    time_s: float
    stage: str
    outcome: str
    code: int = NO_CODE
    perturb: tuple[str, ...] = ()


def stage_label(stages: Sequence[str], stage: int) -> str:
    """The text of a caption for a stage, an index into a task's stages."""
    return stages[stage] if stage else NO_STAGE


class CaptionBar:
    """Draws captions into a bar of this width [px]: one line where it is wide enough, else two.

    The height of one camera's image [px] decides the size of the font.

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
        """Draw into `bar`, shape (height, width, 3) uint8. Only the time changes at each step; the rest is cached."""
        bar[:] = BACKGROUND
        _paste(bar, self._heading(caption), self._margin, self._margin // 2)
        y = (self._lines - 1) * self._line + self._margin // 2  # of everything but the heading
        outcome = self._text(caption.outcome, self._width // 3, OUTCOMES.get(caption.outcome, TEXT))
        right = self._width - self._margin - outcome.shape[1]
        time_width, code_width = (_text_image(text, self._size, TEXT).shape[1] for text in (WIDEST_TIME, WIDEST_CODE))
        x = self._margin if self._lines == 2 else self._width // 2
        _paste(bar, self._text(f"{caption.time_s:.2f} s", time_width, TEXT), x, y)
        x += time_width + self._size
        if caption.code != NO_CODE:
            _paste(bar, self._text(f"code {caption.code}", right - x, TEXT), x, y)
            x += code_width + self._size
        _paste(bar, self._text(caption.stage, right - x, TEXT), x, y)
        _paste(bar, outcome, right, y)

    def _heading(self, caption: Caption) -> ImageArray:
        width = self._width - 2 * self._margin if self._lines == 2 else self._width // 2 - 2 * self._margin
        end = f"  seed {caption.seed}"
        if caption.perturb:
            end = shortened(f"{end}  {' '.join(caption.perturb)}", 5 * width // 6, self._size)
        task = shortened(caption.task, width - text_width(end, self._size), self._size)
        return self._text(task + end, width, TEXT)

    def _text(self, text: str, width: int, colour: Colour) -> ImageArray:
        return _text_image(shortened(text, width, self._size), self._size, colour)


def _paste(bar: ImageArray, text: ImageArray, x: int, y: int) -> None:
    height, width = text.shape[:2]
    target = bar[y : y + height, x : x + width]
    target[:] = text[: target.shape[0], : target.shape[1]]


@lru_cache(maxsize=512)
def _text_image(text: str, size: int, colour: Colour) -> ImageArray:
    """Text on the background, shape (line height, text width, 3) uint8."""
    face = font(size)
    ascent, descent = face.getmetrics() if isinstance(face, ImageFont.FreeTypeFont) else (size, 0)
    image = Image.new("RGB", (max(text_width(text, size), 1), ascent + descent), BACKGROUND)
    ImageDraw.Draw(image).text((0, 0), text, fill=colour, font=face)
    return np.asarray(image)


@lru_cache(maxsize=512)
def shortened(text: str, width: int, size: int) -> str:
    """The text, or as much of it as fits into `width` pixels with "..." at the end; empty if nothing fits."""
    cut = (text[:length].rstrip() + "..." for length in range(len(text) - 1, 0, -1))
    return next((short for short in (text, *cut) if text_width(short, size) <= width), "")


def text_width(text: str, size: int) -> int:
    """Width of a text [px]."""
    return round(font(size).getlength(text) + 0.5)


@lru_cache(maxsize=8)
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font of all text in images; `size` [px]."""
    return ImageFont.load_default(size=size)
