"""Figures with axes, by matplotlib (extra `plot`)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ambidex.atomic_files import replacing
from ambidex.errors import MissingPackageError
from ambidex.recorders.inspection.chart import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 200
SMALL, FONT = 7, 8  # [points]


def make_figure(width: float, height: float) -> "Figure":
    """An empty figure of some inches.

    Raises:
        MissingPackageError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise MissingPackageError(error, "plot", "The figure") from error
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: "Figure", paths: Sequence[Path]) -> None:
    """Write it into files whose names end in .png, .svg or .pdf.

    Raises:
        DatasetError: A file cannot be written.
    """
    for path in paths:
        with replacing(path) as temporary:
            figure.savefig(temporary, format=path.suffix.lstrip("."), dpi=DOTS_PER_INCH)


def draw_rates(
    panel: "Axes",
    places: Sequence[float],
    rates: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    *,
    number: int = 0,
    label: str = "",
) -> None:
    """Draw rates (0 to 1) as points with the bars of their intervals, joined by a line, in percent.

    Args:
        panel: Where.
        places: Horizontal places.
        rates: One for each place.
        intervals: Likewise.
        number: Of the line, for its colour.
        label: Its name in the legend.
    """
    below = [100 * max(0.0, rate - low) for rate, (low, _) in zip(rates, intervals, strict=True)]
    above = [100 * max(0.0, high - rate) for rate, (_, high) in zip(rates, intervals, strict=True)]
    red, green, blue = (part / 255 for part in PALETTE[number % len(PALETTE)])
    panel.errorbar(
        places,
        [100 * rate for rate in rates],
        yerr=[below, above],
        color=(red, green, blue),
        label=label,
        marker="o",
        markersize=2.5,
        linewidth=1.2,
        elinewidth=0.8,
        capsize=1.5,
    )
    panel.set(ylim=(-4, 104), yticks=(0, 50, 100))
    panel.tick_params(labelsize=SMALL)
    panel.grid(alpha=0.3, linewidth=0.5)
    panel.spines[["top", "right"]].set_visible(False)
