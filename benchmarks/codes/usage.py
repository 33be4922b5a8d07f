"""How often each code of a codebook was used: in all episodes, by robot, and by task."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from ambidex.benchmarks.codes.chance import ChanceDivergence, chances
from ambidex.benchmarks.codes.folder import CodedResults
from ambidex.benchmarks.results.info import CheckpointId
from ambidex.benchmarks.results.row import RESULTS, CodeRuns
from ambidex.envs.types import NO_CODE, FloatArray
from ambidex.errors import DatasetError, UsageError
from ambidex.policies.uniact.code_statistics import code_shares, dead_codes, jensen_shannon, perplexity

TaskAndRobot = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class CodeUsage:
    """How often some episodes use each code: its share of the actions that were made from codes, shape (N,).

    There are `steps` such actions; a code counts once for each.
    """

    episodes: int
    steps: int
    shares: FloatArray

    @classmethod
    def of(cls, episodes: Iterable[CodeRuns], size: int) -> Self:
        """Count the codes of episodes; `size` is the number of codes of the codebook, which must have them all."""
        every = list(episodes)
        runs = [(code, steps) for episode in every for code, steps in episode if code != NO_CODE]
        codes = np.repeat([code for code, _ in runs], [steps for _, steps in runs]).astype(np.int64)
        return cls(episodes=len(every), steps=len(codes), shares=code_shares(codes, size))

    @cached_property
    def perplexity(self) -> float:
        """The effective number of codes in use; see `ambidex.policies.uniact.code_statistics`."""
        return perplexity(self.shares)

    @cached_property
    def dead(self) -> tuple[int, ...]:
        """The codes that are never used."""
        return dead_codes(self.shares)

    @property
    def used(self) -> int:
        """Number of codes that are used at all."""
        return len(self.shares) - len(self.dead)

    def most_used(self, most: int) -> dict[int, float]:
        """Code -> share of the most used codes, largest first; of equal shares the smaller code first."""
        order = np.argsort(-self.shares, kind="stable")[: min(most, self.used)]
        return {int(code): float(self.shares[code]) for code in order}


@dataclass(frozen=True, kw_only=True)
class CodebookUsage:
    """How a policy used its codebook in benchmarks.

    Attributes:
        checkpoint: The policy's checkpoint.
        size: Number of codes.
        whole: Usage in all episodes.
        robots: Robot -> usage.
        tasks: Task and robot -> usage.
        episodes_without_codes: Episodes that have no codes; they are counted nowhere else.
    """

    checkpoint: CheckpointId
    size: int
    whole: CodeUsage
    robots: Mapping[str, CodeUsage]
    tasks: Mapping[TaskAndRobot, CodeUsage]
    episodes_without_codes: int

    @classmethod
    def of(cls, folders: Sequence[CodedResults], size: int) -> Self:
        """Count the codes of folders that passed `check_combinable`.

        Raises:
            DatasetError: A code is not in the codebook.
        """
        _check_codes(folders, size)
        tasks: dict[TaskAndRobot, list[CodeRuns]] = {}
        for folder in folders:
            for row in folder.rows:
                tasks.setdefault((row.task, folder.robots[row.task]), []).append(row.codes)
        robots: dict[str, list[CodeRuns]] = {}
        for (_, robot), episodes in tasks.items():
            robots.setdefault(robot, []).extend(episodes)
        return cls(
            checkpoint=folders[0].checkpoint,
            size=size,
            whole=CodeUsage.of([episode for episodes in tasks.values() for episode in episodes], size),
            robots={robot: CodeUsage.of(episodes, size) for robot, episodes in robots.items()},
            tasks={key: CodeUsage.of(episodes, size) for key, episodes in tasks.items()},
            episodes_without_codes=sum(folder.episodes_without_codes for folder in folders),
        )

    @property
    def robot_divergences(self) -> FloatArray:
        """Jensen-Shannon divergences between robots [bit], shape (R, R)."""
        return _divergences(self.robots.values())

    @property
    def task_divergences(self) -> FloatArray:
        """Jensen-Shannon divergences between tasks [bit], shape (T, T)."""
        return _divergences(self.tasks.values())

    @cached_property
    def robot_chances(self) -> dict[tuple[int, int], ChanceDivergence]:
        """The permutation test of each pair of robots, by their indices."""
        return chances([usage.shares for usage in self.robots.values()])

    @cached_property
    def task_chances(self) -> dict[tuple[int, int], ChanceDivergence]:
        """The permutation test of each pair of tasks, by their indices."""
        return chances([usage.shares for usage in self.tasks.values()])


def check_combinable(folders: Sequence[CodedResults]) -> None:
    """Raise a UsageError if folders are of different checkpoints, or an episode is in two of them."""
    first, *others = folders
    for other in others:
        if other.checkpoint.sha256 != first.checkpoint.sha256:
            problem = (
                f"{first.path} and {other.path} are of different checkpoints: {_named(first)} and {_named(other)}."
            )
            raise UsageError(problem, "Their codebooks are unrelated; give folders of one checkpoint.", path=other.path)
    seen: dict[tuple[str, str, int], CodedResults] = {}
    for folder in folders:
        for row in folder.rows:
            earlier = seen.setdefault((row.task, folder.robots[row.task], row.seed), folder)
            if earlier is not folder:
                problem = f"Seed {row.seed} of {row.task} is in {earlier.path} and in {folder.path}."
                raise UsageError(problem, "It would count twice; give each episode once.", seed=row.seed)


def _named(folder: CodedResults) -> str:
    return f"{folder.checkpoint.path} ({folder.checkpoint.sha256[:12]}...)"


def _check_codes(folders: Sequence[CodedResults], size: int) -> None:
    for folder in folders:
        for row in folder.rows:
            for code, steps in row.codes:
                if steps < 1 or not (code == NO_CODE or 0 <= code < size):
                    raise DatasetError(
                        f"{folder.path / RESULTS}, seed {row.seed} of {row.task}: code {code} for {steps} steps. "
                        f"Expected codes 0 to {size - 1} for 1 step or more.",
                        "The file was changed after the run; run the benchmark again.",
                        seed=row.seed,
                        got=(code, steps),
                    )


def _divergences(usages: Iterable[CodeUsage]) -> FloatArray:
    return jensen_shannon(np.stack([usage.shares for usage in usages]))
