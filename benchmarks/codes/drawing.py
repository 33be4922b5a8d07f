"""Draws text and tables of images, and writes image files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ambidex.atomic_files import replacing
from ambidex.envs.types import ImageArray
from ambidex.errors import UsageError
from ambidex.recorders.inspection.chart import INK, PALE, PAPER
from ambidex.recorders.video.caption import font, shortened, text_width

FONT = 16  # font size [px]
MARGIN, HAIR, GAP = 12, 2, 14  # around a table; between images; between columns [px]
ENDINGS = (".jpg", ".png")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of an image table.

    Attributes:
        title: First line of its head.
        subtitle: Second line of its head.
        marks: Labels above the images of a cell.
        cells: A strip of images for each row; each image has shape (H, W, 3) uint8 RGB, the same for all.
    """

    title: str
    subtitle: str
    marks: Sequence[str]
    cells: Sequence[Sequence[ImageArray]]

    @property
    def width(self) -> int:
        """Width of a cell [px]."""
        return sum(int(image.shape[1]) + HAIR for image in self.cells[0]) - HAIR


def image_table(rows: Sequence[str], columns: Sequence[Column]) -> ImageArray:
    """Draw a table with a strip of images in every cell, shape (H, W, 3) uint8 RGB; `rows` are its row labels."""
    left = MARGIN + max(text_width(row, FONT) for row in rows) + GAP
    line = round(1.4 * FONT)
    top = MARGIN + 3 * line
    height = max(cell[0].shape[0] for column in columns for cell in column.cells)
    width = left + sum(column.width + GAP for column in columns) - GAP + MARGIN
    table = Image.new("RGB", (width, top + len(rows) * (height + HAIR) - HAIR + MARGIN), PAPER)
    draw = ImageDraw.Draw(table)
    for number, row in enumerate(rows):
        middle = top + number * (height + HAIR) + height // 2
        draw.text((MARGIN, middle), row, fill=INK, font=font(FONT), anchor="lm")
    for column in columns:
        _draw_head(draw, column, left, line)
        for number, cell in enumerate(column.cells):
            _draw_cell(table, cell, left, top + number * (height + HAIR))
        left += column.width + GAP
    return np.asarray(table)


def _draw_head(draw: ImageDraw.ImageDraw, column: Column, left: int, line: int) -> None:
    draw.text((left, MARGIN), shortened(column.title, column.width, FONT), fill=INK, font=font(FONT))
    draw.text((left, MARGIN + line), shortened(column.subtitle, column.width, FONT), fill=PALE, font=font(FONT))
    for mark, image in zip(column.marks, column.cells[0], strict=True):
        draw.text((left, MARGIN + 2 * line), mark, fill=PALE, font=font(FONT))
        left += image.shape[1] + HAIR


def _draw_cell(table: Image.Image, cell: Sequence[ImageArray], left: int, top: int) -> None:
    for image in cell:
        table.paste(Image.fromarray(image), (left, top))
        left += image.shape[1] + HAIR


def check_image_name(path: Path) -> None:
    """Raise a UsageError for an --output whose ending is not one of `ENDINGS`."""
    if path.suffix not in ENDINGS:
        raise UsageError(
            f"--output {path}: expected a name that ends in {' or '.join(ENDINGS)}.", path=path, expected=ENDINGS
        )


def write_image(path: Path, image: ImageArray) -> None:
    """Write an image, shape (H, W, 3) uint8 RGB, whole or not at all."""
    kind, options = ("JPEG", {"quality": 90}) if path.suffix == ".jpg" else ("PNG", {})
    with replacing(path) as temporary:
        Image.fromarray(image).save(temporary, kind, optimize=True, **options)
