"""The use of a codebook as one picture."""

import numpy as np
from PIL import Image, ImageDraw

from ambidex.benchmarks.codes.code_bars import CodeBars
from ambidex.benchmarks.codes.codebook_use import CodebookUse
from ambidex.benchmarks.codes.codebook_words import headline, origin
from ambidex.benchmarks.codes.divergence_map import DivergenceMap
from ambidex.benchmarks.picture_words import INK, PALE, PAPER, picture_font, shortened
from ambidex.envs.types import ImageArray

MARGIN, BETWEEN, HEAD, TITLE = 20, 56, 70, 22  # [px]


def codebook_picture(use: CodebookUse) -> ImageArray:
    """Histograms of all tasks at the left, the divergences between them, if there are several, at the right.

    Returns:
        Shape (H, W, 3) uint8 RGB.
    """
    bars, maps = CodeBars(use=use), [DivergenceMap(matrix=use.between_tasks)] if len(use.tasks) > 1 else []
    width = 2 * MARGIN + bars.width + sum(BETWEEN + heat.width for heat in maps)
    height = 2 * MARGIN + HEAD + max(bars.height, *(heat.height for heat in maps), 0)
    image = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(image)
    room = width - 2 * MARGIN
    draw.text((MARGIN, MARGIN), shortened(headline(use), room, TITLE), fill=INK, font=picture_font(TITLE))
    draw.text((MARGIN, MARGIN + 32), shortened(origin(use), room), fill=PALE, font=picture_font())
    bars.draw(draw, MARGIN, MARGIN + HEAD)
    for heat in maps:
        heat.draw(draw, MARGIN + bars.width + BETWEEN, MARGIN + HEAD)
    return np.asarray(image)
