"""Where episodes are lost: how many clean and perturbed ones reached each stage."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from ambidex.benchmarks.robustness.figures import CellFigure
from ambidex.envs.perturbations.perturbation import Level

SUCCESS = "success"


@dataclass(frozen=True, kw_only=True)
class Reached:
    """How many of some pairs reached a stage or a later one, or succeeded.

    Attributes:
        stage: Name of the stage, or "success".
        clean: Clean episodes.
        perturbed: Perturbed episodes.
    """

    stage: str
    clean: int
    perturbed: int

    @property
    def lost(self) -> int:
        """How many fewer perturbed episodes than clean ones."""
        return self.clean - self.perturbed


@dataclass(frozen=True, kw_only=True)
class Funnel:
    """The pairs of one task and axis, at one level or at several together.

    Attributes:
        task: The task.
        axis: The axis.
        level: The level; 0 for all together.
        pairs: How many pairs there are. Levels share their clean twins, which count once for each.
        reached: Of them, how many reached each stage from 1 on, and last how many succeeded.
    """

    task: str
    axis: str
    level: Level
    pairs: int
    reached: Sequence[Reached]

    @classmethod
    def of(cls, task: str, stages: Sequence[str], cells: Sequence[CellFigure]) -> Self:
        """Of cells of one axis, one or more; `stages` are the names of the task's stages from 0 ("none")."""
        pairs = [pair for cell in cells for (name, _), pair in cell.pairs.items() if name == task]
        reached = [
            Reached(
                stage=name, clean=sum(b.stage >= n for _, b in pairs), perturbed=sum(a.stage >= n for a, _ in pairs)
            )
            for n, name in enumerate(stages)
            if n > 0
        ]
        won = Reached(stage=SUCCESS, clean=sum(b.success for _, b in pairs), perturbed=sum(a.success for a, _ in pairs))
        level = cells[0].cell.level if len(cells) == 1 else 0
        return cls(task=task, axis=cells[0].cell.axis, level=level, pairs=len(pairs), reached=(*reached, won))

    @property
    def largest_loss(self) -> tuple[str, int] | None:
        """The stage at which the loss grows most from the stage before, and by how many; None if it nowhere does."""
        before = (0, *(each.lost for each in self.reached))
        grown = [each.lost - earlier for each, earlier in zip(self.reached, before, strict=False)]
        most = max(grown)
        return (self.reached[grown.index(most)].stage, most) if most > 0 else None

    def lines(self) -> Iterator[dict[str, object]]:
        """A line for each stage, for files."""
        for each in self.reached:
            yield {
                "task": self.task,
                "axis": self.axis,
                "level": self.level,
                "stage": each.stage,
                "pairs": self.pairs,
                "clean": each.clean,
                "perturbed": each.perturbed,
            }


def funnel_rows(funnels: Sequence[Funnel]) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Header and rows of the table of one task, a row for each funnel."""
    stages = [each.stage for each in funnels[0].reached]
    return ("axis", "pairs", *stages, "most lost at"), [_row(funnel) for funnel in funnels]


def _row(funnel: Funnel) -> Sequence[str]:
    loss = funnel.largest_loss
    counts = [f"{each.clean} to {each.perturbed}" for each in funnel.reached]
    return (funnel.axis, str(funnel.pairs), *counts, f"{loss[0]}, {loss[1]}" if loss else "none")
