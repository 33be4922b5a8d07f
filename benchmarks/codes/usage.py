"""How a policy used its codebook in benchmarks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from ambidex.benchmarks.codes.chance import ChanceDivergence, chances
from ambidex.benchmarks.codes.folder import CodedFolder
from ambidex.benchmarks.results.folder import RESULTS
from ambidex.benchmarks.results.info import BENCHMARK_JSON, CheckpointId
from ambidex.benchmarks.results.row import CodeRuns
from ambidex.envs.types import NO_CODE, FloatArray
from ambidex.errors import DatasetError, UsageError
from ambidex.policies.uniact.code_usage import code_shares, dead_codes, jensen_shannon, perplexity

# FOLDED benchmarks.codes.code_use: How some episodes use a codebook.


@dataclass(frozen=True, kw_only=True)
class CodeUse:
    """How some episodes use a codebook. A code counts as often as actions were made from it.

    Attributes:
        episodes: How many.
        steps: Actions that were made from a code.
        shares: The share of each code in them, shape (N,).
    """

    episodes: int
    steps: int
    shares: FloatArray

    @classmethod
    def of(cls, episodes: Iterable[CodeRuns], size: int) -> Self:
        """The use of `size` codes in episodes.

        Raises:
            ValueError: A code is none of the codebook's.
        """
        every = list(episodes)
        runs = [(code, steps) for episode in every for code, steps in episode if code != NO_CODE]
        codes = np.repeat([code for code, _ in runs], [steps for _, steps in runs]).astype(np.int64)
        return cls(episodes=len(every), steps=len(codes), shares=code_shares(codes, size))

    @cached_property
    def perplexity(self) -> float:
        """How many codes are in use, as it were; see `ambidex.policies.uniact.code_usage`."""
        return perplexity(self.shares)

    @cached_property
    def dead(self) -> tuple[int, ...]:
        """The codes that are never used."""
        return dead_codes(self.shares)

    @property
    def used(self) -> int:
        """How many codes are used at all."""
        return len(self.shares) - len(self.dead)

    def most_used(self, most: int) -> dict[int, float]:
        """The shares of the most used codes by code, largest first; of equal ones the smaller number first."""
        order = np.argsort(-self.shares, kind="stable")[: min(most, self.used)]
        return {int(code): float(self.shares[code]) for code in order}


Played = tuple[str, str]
"""A task, and the robot it was played with."""


@dataclass(frozen=True, kw_only=True)
class CodebookUse:
    """How a policy used its codebook in benchmarks.

    Attributes:
        checkpoint: Whose codebook.
        size: Codes of it.
        whole: All episodes.
        robots: Those of each robot.
        tasks: Those of each task with each robot it was played with.
        without: Episodes that have no codes; they are counted nowhere else.
    """

    checkpoint: CheckpointId
    size: int
    whole: CodeUse
    robots: Mapping[str, CodeUse]
    tasks: Mapping[Played, CodeUse]
    without: int

    @classmethod
    def of(cls, folders: Sequence[CodedFolder], size: int) -> Self:
        """Of folders that `check_alike` lets pass.

        Raises:
            DatasetError: A code is none of the codebook's.
        """
        _check_codes(folders, size)
        tasks: dict[Played, list[CodeRuns]] = {}
        for folder in folders:
            for row in folder.rows:
                tasks.setdefault((row.task, folder.robots[row.task]), []).append(row.codes)
        robots: dict[str, list[CodeRuns]] = {}
        for (_, robot), episodes in tasks.items():
            robots.setdefault(robot, []).extend(episodes)
        return cls(
            checkpoint=folders[0].checkpoint,
            size=size,
            whole=CodeUse.of([episode for episodes in tasks.values() for episode in episodes], size),
            robots={robot: CodeUse.of(episodes, size) for robot, episodes in robots.items()},
            tasks={played: CodeUse.of(episodes, size) for played, episodes in tasks.items()},
            without=sum(folder.without for folder in folders),
        )

    @property
    def between_robots(self) -> FloatArray:
        """Jensen-Shannon divergences [bit], shape (R, R)."""
        return _divergences(self.robots.values())

    @property
    def between_tasks(self) -> FloatArray:
        """Jensen-Shannon divergences [bit], shape (T, T)."""
        return _divergences(self.tasks.values())

    @cached_property
    def chances_of_robots(self) -> dict[tuple[int, int], ChanceDivergence]:
        """What `between_robots` would be by chance, for each pair of robots by their places."""
        return chances([use.shares for use in self.robots.values()])

    @cached_property
    def chances_of_tasks(self) -> dict[tuple[int, int], ChanceDivergence]:
        """What `between_tasks` would be by chance, for each pair of tasks by their places."""
        return chances([use.shares for use in self.tasks.values()])


def check_alike(folders: Sequence[CodedFolder]) -> None:
    """Refuse folders that cannot be counted together.

    Raises:
        UsageError: They are of different checkpoints, or an episode is in two of them.
    """
    first, *others = folders
    for other in others:
        if other.checkpoint.sha256 != first.checkpoint.sha256:
            raise UsageError(
                f"{first.path} and {other.path} are of different checkpoints, {_named(first)} and {_named(other)}, "
                f"says their {BENCHMARK_JSON}. Codes of different codebooks have nothing to do with each other; give folders of "
                "one checkpoint."
            )
    seen: dict[tuple[str, str, int], CodedFolder] = {}
    for folder in folders:
        for row in folder.rows:
            past = seen.setdefault((row.task, folder.robots[row.task], row.seed), folder)
            if past is not folder:
                raise UsageError(
                    f"Seed {row.seed} of {row.task} is in {past.path} and in {folder.path}, and would count twice. "
                    "Give each episode once."
                )


def _named(folder: CodedFolder) -> str:
    return f"{folder.checkpoint.path} ({folder.checkpoint.sha256[:12]}...)"


def _check_codes(folders: Sequence[CodedFolder], size: int) -> None:
    for folder in folders:
        for row in folder.rows:
            wrong = [run for run in row.codes if not (run[0] == NO_CODE or 0 <= run[0] < size) or run[1] < 1]
            if wrong:
                raise DatasetError(
                    f"{folder.path / RESULTS}, seed {row.seed} of {row.task}: code {wrong[0][0]} for {wrong[0][1]} "
                    f"steps. Expected codes 0 to {size - 1}, as the codebook has {size}, for 1 step or more. The file "
                    "was changed after the run; run the benchmark again."
                )


def _divergences(uses: Iterable[CodeUse]) -> FloatArray:
    return jensen_shannon(np.stack([use.shares for use in uses]))
