"""Words in pictures."""

from functools import cache

from PIL import ImageFont

INK, PALE, PAPER = (28, 32, 36), (86, 94, 104), (255, 255, 255)
FONT = 16  # [px]

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@cache
def picture_font(size: int = FONT) -> Font:
    """The font of pictures, `size` [px]."""
    return ImageFont.load_default(size=size)


def text_width(text: str, size: int = FONT) -> int:
    """How wide a text gets [px]."""
    return round(picture_font(size).getlength(text) + 0.5)


def shortened(text: str, room: int, size: int = FONT) -> str:
    """A text that fits into `room` [px], with "..." where its end is missing; empty if nothing fits."""
    fitting = (text[:length].rstrip() + "..." for length in range(len(text) - 1, 0, -1))
    return next((short for short in (text, *fitting) if text_width(short, size) <= room), "")
