"""Draws charts: text, lines and rectangles on paper, in the pixels of a design that may be scaled."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from ambidex.recorders.video.caption import font

Colour = tuple[int, int, int]
Place = tuple[float, float]
Box = tuple[float, float, float, float]

INK: Colour = (28, 32, 36)
PALE: Colour = (86, 94, 104)
RULE: Colour = (223, 224, 220)
PAPER: Colour = (255, 255, 255)
PALETTE: tuple[Colour, ...] = ((27, 106, 134), (214, 142, 20), (122, 75, 176), (171, 58, 40))
"""Colours that stand for things; used again from the first if there are more."""


class Chart:
    """A drawing. All places, sizes and widths are in pixels of the design.

    Args:
        size: Width and height [px].
        scale: Pixels of the image for each of the design.

    Attributes:
        image: What is drawn.
    """

    def __init__(self, size: tuple[int, int], scale: int) -> None:
        self._size, self._scale = size, scale
        self.image = Image.new("RGB", (scale * size[0], scale * size[1]), PAPER)
        self._draw = ImageDraw.Draw(self.image, "RGBA")

    def text(self, place: Place, text: str, size: int, colour: Colour = INK, anchor: str = "la") -> None:
        """Write a text; `anchor` is Pillow's."""
        x, y = (self._scale * each for each in place)
        self._draw.text((x, y), text, fill=colour, font=font(self._scale * size), anchor=anchor)

    def rectangle(self, box: Box, fill: Colour | None = None, outline: Colour | None = None) -> None:
        """Draw a rectangle (left, top, right, bottom)."""
        self._draw.rectangle([self._scale * each for each in box], fill=fill, outline=outline, width=self._scale)

    def line(self, points: Sequence[Place], colour: Colour, opacity: int = 255) -> None:
        """Draw a line through points, one pixel wide; opacity 255 covers what is below."""
        scaled = [(self._scale * x, self._scale * y) for x, y in points]
        self._draw.line(scaled, fill=(*colour, opacity), width=self._scale)

    def smoothed(self) -> Image.Image:
        """The image at the size of the design, smoother than drawn at that size."""
        return self.image.resize(self._size, Image.Resampling.LANCZOS)
