"""The failures in a results folder, and the steps at which another policy takes over."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.row import EpisodeKey, EpisodeRow
from ambidex.benchmarks.results.states import EpisodeStates
from ambidex.envs.registry import tasks_named
from ambidex.envs.types import EnvSpec, Outcome
from ambidex.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One failed episode.

    Attributes:
        row: Its row.
        stages: Stage at each stored state, from that of step 0 to the last one.
    """

    row: EpisodeRow
    stages: tuple[int, ...]

    @property
    def key(self) -> EpisodeKey:
        return self.row.key

    def steps(self, every: int) -> range:
        """The steps at which the episode is taken over: 0, `every` and so on up to its end."""
        return range(0, len(self.stages), every)


@dataclass(frozen=True, kw_only=True)
class Failures:
    """The failed episodes of a results folder, without those that ended with an error.

    Attributes:
        results: The folder.
        rows: Their rows, by task and seed; of some tasks only, if a user chose one.
    """

    results: ResultsFolder
    rows: tuple[EpisodeRow, ...]

    @classmethod
    def of(cls, path: Path, task: str | None = None) -> "Failures":
        """Those of a results folder, of one task or of all.

        Raises:
            UsageError: There is no such folder, it is of a robot or of take-overs, or has no episode of the task.
            DatasetError: It has no episodes, or is damaged.
        """
        results = ResultsFolder.open(path)
        if results.of_robot or results.info.take_over:
            problem = f"--take-over {path}: its episodes are {'of a robot' if results.of_robot else 'take-overs'}."
            hint = "Expected a results folder of run-benchmark with whole episodes."
            raise UsageError(problem, hint, path=path)
        known = tuple(results.info.env_specs)
        tasks = tasks_named(task) if task else known
        if other := set(tasks) - set(known):
            problem = f"--task {task}: {path} has no episodes of {', '.join(sorted(other))}."
            raise UsageError(problem, f"Its tasks are {', '.join(known)}.", path=path, got=task, expected=known)
        failed = (row for row in results.rows if row.outcome is Outcome.FAILURE and row.task in tasks)
        return cls(results=results, rows=tuple(failed))

    @property
    def specs(self) -> dict[str, EnvSpec]:
        """Task -> spec of its environment, of tasks with failures."""
        failed = {row.task for row in self.rows}
        return {task: spec for task, spec in self.results.info.env_specs.items() if task in failed}

    @property
    def sha256(self) -> str:
        """SHA-256 of the rows: those of another run differ."""
        return sha256("\n".join(row.to_line() for row in self.rows).encode()).hexdigest()

    @cached_property
    def episodes(self) -> tuple[Failure, ...]:
        """The failures with their stages.

        Raises:
            DatasetError: The states of one are missing, as in folders of the first versions, or damaged.
        """
        return tuple(Failure(row=row, stages=_stages(self.results, row)) for row in self.rows)


def all_steps(failures: Iterable[Failure], every: int) -> Sequence[int]:
    """All steps at which any of the failures is taken over."""
    return max((failure.steps(every) for failure in failures), key=len, default=range(0))


def _stages(results: ResultsFolder, row: EpisodeRow) -> tuple[int, ...]:
    stored = EpisodeStates.read(results.states_path(*row.key))
    return tuple(int(stage) for stage in stored.stages)
