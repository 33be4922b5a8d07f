"""Success as LIBERO-plus counts it: pooled over all perturbed episodes, and for each of its axes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from ambidex.benchmarks.robustness.figures import CellFigure
from ambidex.benchmarks.robustness.libero_plus import CATEGORIES, SUITES

HEADER = ("LIBERO-plus", "axes", "success", "variants there")
LEGEND = (
    "As in LIBERO-plus all perturbed episodes count, also those that the expert does not solve. Images and scenes "
    "differ from LIBERO-plus's, so these rates are not comparable with its table. camera, robot_start and sensor have "
    "its distributions. Of the other axes it is known only how many variants there are; ours stand in, at levels 1 to "
    "5. pooled: over all perturbed episodes; macro mean: of the rates of the axes. Both are of the axes that were run. "
    "Episodes of a seed share their initial state, so no intervals are given here; the tables above have them."
)


@dataclass(frozen=True, kw_only=True)
class AxisTotal:
    """One axis of LIBERO-plus.

    Attributes:
        name: Its name there.
        axes: Our axes.
        successes: Successes in them, at all levels.
        episodes: Perturbed episodes.
        variants: How many variants LIBERO-plus has in this suite.
    """

    name: str
    axes: tuple[str, ...]
    successes: int
    episodes: int
    variants: int


@dataclass(frozen=True, kw_only=True)
class PooledSuccess:
    """Success of a policy under the axes of LIBERO-plus.

    Attributes:
        axes: Those of LIBERO-plus, also without episodes.
    """

    axes: tuple[AxisTotal, ...]

    @classmethod
    def of(cls, cells: Sequence[CellFigure], suite: str) -> Self:
        """Count the episodes of some cells."""
        totals = []
        for category in CATEGORIES:
            tallies = [cell.together for cell in cells if cell.cell.axis in category.axes]
            totals.append(
                AxisTotal(
                    name=category.name,
                    axes=tuple(category.axes),
                    successes=sum(tally.successes for tally in tallies),
                    episodes=sum(tally.n for tally in tallies),
                    variants=category.variants[SUITES.index(suite)],
                )
            )
        return cls(axes=tuple(totals))

    @property
    def successes(self) -> int:
        return sum(axis.successes for axis in self.axes)

    @property
    def episodes(self) -> int:
        return sum(axis.episodes for axis in self.axes)

    @property
    def rate(self) -> float | None:
        """Successes of all episodes; None without episodes."""
        return self.successes / self.episodes if self.episodes else None

    @property
    def macro_mean(self) -> float | None:
        """Mean of the rates of the axes that have episodes; None without any."""
        rates = [axis.successes / axis.episodes for axis in self.axes if axis.episodes]
        return sum(rates) / len(rates) if rates else None

    def rows(self) -> list[Sequence[str]]:
        """Lines below `HEADER`."""
        lines: list[Sequence[str]] = [
            (axis.name, ", ".join(axis.axes), _share(axis.successes, axis.episodes), str(axis.variants))
            for axis in self.axes
        ]
        run = [axis for axis in self.axes if axis.episodes]
        count, variants = f"{len(run)} of {len(self.axes)}", str(sum(axis.variants for axis in run))
        macro = "none" if self.macro_mean is None else f"{100 * self.macro_mean:.1f}"
        pooled = ("pooled", count, _share(self.successes, self.episodes), variants)
        return [*lines, pooled, ("macro mean", count, macro, "")]

    def to_json(self) -> dict[str, object]:
        """All figures."""
        axes = [
            {
                "name": axis.name,
                "axes": axis.axes,
                "successes": axis.successes,
                "episodes": axis.episodes,
                "variants": axis.variants,
            }
            for axis in self.axes
        ]
        return {"pooled_rate": self.rate, "macro_mean": self.macro_mean, "episodes": self.episodes, "axes": axes}


def _share(successes: int, episodes: int) -> str:
    return f"{successes}/{episodes} = {100 * successes / episodes:.1f}" if episodes else "not run"
