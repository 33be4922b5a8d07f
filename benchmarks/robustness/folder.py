"""The folder of a robustness benchmark: robustness.json, and an ordinary results folder for each cell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from ambidex.benchmarks.evaluation.config import SCRIPTED, BenchmarkConfig
from ambidex.benchmarks.results.folder import ROBUSTNESS_JSON, ResultsFolder
from ambidex.benchmarks.results.info import COMMAND
from ambidex.benchmarks.results.row import EpisodeKey
from ambidex.benchmarks.robustness.libero_plus import axes_with_their_levels
from ambidex.envs.perturbations.perturbation import LEVELS, LIBERO_PLUS, Level
from ambidex.envs.perturbations.registry import AXES, STARTS, as_file_name
from ambidex.errors import DatasetError, UsageError, check_name
from ambidex.output_folder import FolderInfo

CLEAN = "clean"
EXPERT = "expert"
"""Folder with the expert's results in the perturbed episodes."""
EVENLY, WHERE_OPEN = "evenly", "where-open"
"""How a budget is spent."""


@dataclass(frozen=True, kw_only=True, order=True)
class Cell:
    """One axis of perturbation at one level; level 0 is the clean episodes, and then the axis is empty."""

    axis: str = ""
    level: Level = 0

    @property
    def folder(self) -> str:
        """Name of its results folder."""
        return as_file_name(self.words[0]) if self.level else CLEAN

    @property
    def words(self) -> tuple[str, ...]:
        """What `--perturb` takes."""
        return (f"{self.axis}:{self.level}",) if self.level else ()

    def __str__(self) -> str:
        return self.words[0] if self.level else CLEAN


@dataclass(frozen=True, kw_only=True)
class RobustnessInfo(FolderInfo):
    """The content of robustness.json.

    Attributes:
        command: The command line.
        config: Its resolved flags.
        left_out: Axis with its level, as in "camera:3" -> why it is not part of the benchmark.
        versions: Package -> version.
        episodes: Cell, as in `left_out` or "clean" -> episodes of each task; empty if all have as many.
    """

    file_name = ROBUSTNESS_JSON
    format_version = 1
    folder_kind = "the folder of a robustness benchmark"
    written_by = f"{COMMAND} --suite robustness"

    command: str
    config: Mapping[str, Any]
    versions: Mapping[str, str]
    left_out: Mapping[str, str] = field(default_factory=dict)
    episodes: Mapping[str, int] = field(default_factory=dict)


class RobustnessFolder:
    """The folder of a robustness benchmark, finished or not.

    Args:
        path: The folder.

    Raises:
        DatasetError: From every method: a file is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def open(cls, path: Path) -> Self:
        """A folder that a user named.

        Raises:
            DatasetError: It is no such folder, is damaged, or has no clean episodes yet.
        """
        folder = cls(path)
        _ = folder.info  # which must exist
        if not folder.results(Cell()).rows:
            problem = f"{path} has no clean episodes yet, to which perturbed ones could be compared."
            raise DatasetError(problem, f"Resume it with: {folder.resume_command}", path=path)
        return folder

    @cached_property
    def info(self) -> RobustnessInfo:
        """The content of robustness.json."""
        return RobustnessInfo.read(self.path)

    @cached_property
    def config(self) -> BenchmarkConfig:
        """The flags of the benchmark."""
        return self.info.settings(COMMAND, BenchmarkConfig)

    @property
    def resume_command(self) -> str:
        """The command that resumes the benchmark."""
        return f"{COMMAND} --resume --output-dir {self.path}"

    @property
    def cells(self) -> list[Cell]:
        """All cells of the benchmark but the clean one, in the order of the axes."""
        return [cell for cell in cells_of(self.config) if str(cell) not in self.info.left_out]

    @property
    def left_out(self) -> dict[str, str]:
        """Cells that are not run, as text -> why; an axis stands for all its levels."""
        cells, reasons = cells_of(self.config), self.info.left_out
        found: dict[str, str] = {}
        for axis in dict.fromkeys(cell.axis for cell in cells):
            of_axis = {str(cell): reasons.get(str(cell), "") for cell in cells if cell.axis == axis}
            same = len(set(of_axis.values())) == 1
            found |= {axis: next(iter(of_axis.values()))} if same else of_axis
        return {name: reason for name, reason in found.items() if reason}

    def results(self, cell: Cell) -> ResultsFolder:
        """The policy's results."""
        return ResultsFolder(self.path / cell.folder)

    def expert_results(self, cell: Cell) -> ResultsFolder:
        """The expert's results; a folder that does not exist if the expert has not run."""
        return ResultsFolder(self.path / EXPERT / cell.folder)

    def infeasible(self, cell: Cell) -> set[EpisodeKey]:
        """Perturbed episodes that the expert does not solve."""
        return {row.key for row in self.expert_results(cell).rows if not row.success}

    def needs_expert(self, cell: Cell) -> bool:
        """Whether the expert has to run a cell too, because it may be impossible."""
        return cell.axis in STARTS and self.config.policy != SCRIPTED

    def unfinished(self) -> list[Cell]:
        """Cells that lack episodes, of the policy or of the expert."""
        without = set(self.without_expert())
        return [cell for cell in self.cells if len(self.results(cell).rows) < self._wanted(cell) or cell in without]

    def _wanted(self, cell: Cell) -> int:
        """Episodes that a cell is to have: its own number, or as many as the clean one has."""
        clean = self.results(Cell())
        each = self.info.episodes.get(str(cell))
        return len(clean.rows) if each is None else each * len(clean.info.env_specs)

    def without_expert(self) -> list[Cell]:
        """Cells whose infeasible episodes are not known, because the expert has not run all that the policy has."""
        needed = [cell for cell in self.cells if self.needs_expert(cell)]
        return [cell for cell in needed if len(self.expert_results(cell).rows) < len(self.results(cell).rows)]


def cells_of(config: BenchmarkConfig) -> list[Cell]:
    """The cells that the flags ask for, also of axes that turn out to be impossible.

    Raises:
        UnknownNameError: There is no such axis.
        UsageError: A level that is not 1 to 5, or levels beside a protocol that has its own.
    """
    levels: Sequence[int] = config.levels or range(1, LEVELS + 1)
    if config.axes == ():
        raise UsageError("--axes none: expected one axis or more.", f"Axes are {', '.join(AXES)}.", field="axes")
    if config.protocol == LIBERO_PLUS:
        chosen_levels = axes_with_their_levels(config.axes, config.levels)
        return [Cell(axis=axis, level=level) for axis, of_axis in chosen_levels.items() for level in of_axis]
    for axis in config.axes or ():
        check_name("axis of perturbation", axis, AXES)
    for level in levels:
        if not 1 <= level <= LEVELS:
            problem = f"--levels {level}: expected 1 to {LEVELS}; the clean episodes are always run."
            raise UsageError(problem, field="levels", got=level)
    chosen = [axis for axis in AXES if axis in (config.axes or AXES)]
    return [Cell(axis=axis, level=level) for axis in chosen for level in sorted(set(levels))]
