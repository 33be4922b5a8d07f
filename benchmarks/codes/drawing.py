"""Words in pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ambidex.atomic_files import replacing
from ambidex.envs.types import ImageArray
from ambidex.errors import UsageError

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


# FOLDED benchmarks.picture_table: Pictures in a table with words: a strip of them in every cell.

MARGIN, HAIR, GAP = 12, 2, 14  # [px]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a picture table.

    Attributes:
        title: What stands above it.
        subtitle: Below the title.
        marks: What stands above each picture of a cell.
        cells: One strip of pictures for each row, shape (H, W, 3) uint8 RGB each, all of one shape.
    """

    title: str
    subtitle: str
    marks: Sequence[str]
    cells: Sequence[Sequence[ImageArray]]

    @property
    def width(self) -> int:
        """Of a cell [px]."""
        return sum(int(picture.shape[1]) + HAIR for picture in self.cells[0]) - HAIR


def picture_table(rows: Sequence[str], columns: Sequence[Column]) -> ImageArray:
    """The table as a picture, shape (H, W, 3) uint8 RGB.

    Args:
        rows: What stands before each row.
        columns: At least one, each with a cell for every row.
    """
    left = MARGIN + max(text_width(row) for row in rows) + GAP
    line = round(1.4 * FONT)
    top = MARGIN + 3 * line
    height = max(cell[0].shape[0] for column in columns for cell in column.cells)
    width = left + sum(column.width + GAP for column in columns) - GAP + MARGIN
    image = Image.new("RGB", (width, top + len(rows) * (height + HAIR) - HAIR + MARGIN), PAPER)
    draw = ImageDraw.Draw(image)
    for number, row in enumerate(rows):
        middle = top + number * (height + HAIR) + height // 2
        draw.text((MARGIN, middle), row, fill=INK, font=picture_font(), anchor="lm")
    for column in columns:
        _draw_head(draw, column, left, line)
        for number, cell in enumerate(column.cells):
            _draw_cell(image, cell, left, top + number * (height + HAIR))
        left += column.width + GAP
    return np.asarray(image)


def _draw_head(draw: ImageDraw.ImageDraw, column: Column, left: int, line: int) -> None:
    draw.text((left, MARGIN), shortened(column.title, column.width), fill=INK, font=picture_font())
    draw.text((left, MARGIN + line), shortened(column.subtitle, column.width), fill=PALE, font=picture_font())
    for mark, picture in zip(column.marks, column.cells[0], strict=True):
        draw.text((left, MARGIN + 2 * line), mark, fill=PALE, font=picture_font())
        left += picture.shape[1] + HAIR


def _draw_cell(image: Image.Image, cell: Sequence[ImageArray], left: int, top: int) -> None:
    for picture in cell:
        image.paste(Image.fromarray(picture), (left, top))
        left += picture.shape[1] + HAIR


# FOLDED benchmarks.picture_file: Pictures that programs write.

ENDINGS = (".jpg", ".png")


def check_picture_name(path: Path) -> None:
    """Refuse an --output of another kind.

    Raises:
        UsageError: Says which there are.
    """
    if path.suffix not in ENDINGS:
        raise UsageError(f"--output {path}: expected a name that ends in {' or '.join(ENDINGS)}.")


def write_picture(path: Path, picture: ImageArray) -> None:
    """Write a picture, shape (H, W, 3) uint8 RGB, whole or not at all.

    Raises:
        DatasetError: It cannot be written.
    """
    kind, options = ("JPEG", {"quality": 90}) if path.suffix == ".jpg" else ("PNG", {})
    with replacing(path) as temporary:
        Image.fromarray(picture).save(temporary, kind, optimize=True, **options)
