"""Records one task into one folder: the parent's side of the workers."""

import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ambidex.envs.types import EnvSpec, Outcome, RolloutResult
from ambidex.errors import DatasetError
from ambidex.intervals import format_rate
from ambidex.progress import Progress
from ambidex.recorders.dataset.environment import keep_definition
from ambidex.recorders.dataset.output_folder import dataset_size, space_warning
from ambidex.recorders.formats.registry import format_named
from ambidex.recorders.recording.attempt_log import Ledger
from ambidex.recorders.recording.config import RecordConfig
from ambidex.recorders.recording.queue import Backlog
from ambidex.recorders.recording.resume import Past
from ambidex.recorders.recording.worker import AgentFactory, RecordJob, RecordWorker, WriteJob
from ambidex.text import pluralize
from ambidex.worker_pool import Pool, WorkerError, worker_count

# FOLDED recorders.record_summary: What came out of recording one task.


@dataclass(frozen=True, kw_only=True)
class RecordSummary:
    """What came out of recording one task.

    Attributes:
        task: Task name.
        directory: The dataset's folder.
        wanted: Episodes asked for.
        kept: Successful episodes in the dataset.
        attempts: Seeds attempted.
        written: Episodes that this run wrote.
        wall_s: How long this run took [s].
        size: Size of all episode files and videos [B].
    """

    task: str
    directory: Path
    wanted: int
    kept: int
    attempts: int
    written: int
    wall_s: float
    size: int

    @property
    def complete(self) -> bool:
        """Everything asked for is there."""
        return self.kept >= self.wanted

    def in_words(self) -> str:
        """One line."""
        pace = (
            f"{self.wall_s / self.written:.2f} s per episode"
            if self.written
            else "it is complete and nothing was left to do"
        )
        return (
            f"{self.task}: {pluralize(self.kept, 'episode')} kept, "
            f"success {format_rate(self.kept, self.attempts)}, {pace}, {self.size / 1e6:.1f} MB in {self.directory}"
        )

    def shortfall(self, command: str) -> str:
        """What to say when the attempts ran out; `command` is how to go on with this recording."""
        return (
            f"{self.task}: {self.kept} of {self.wanted} episodes were recorded after "
            f"{pluralize(self.attempts, 'attempt')}, and no more are allowed; "
            f"success {format_rate(self.kept, self.attempts)}. What was recorded stays in {self.directory}, and "
            f"{self.directory / 'attempts.jsonl'} says why each attempt failed. Go on with: {command}"
        )


RecordPool = Pool[RecordJob, RolloutResult | int]


class Recording:
    """Attempts seeds until enough have succeeded, and has what is kept rendered and written.

    Args:
        config: Resolved config.
        directory: The dataset's folder, which exists and is ours.
        spec: Spec of the environment.
        past: What earlier runs have done.
        agent_factory: Makes each worker's agent.
        definition: Text of the user's definition; empty for a task that comes with ambidex.

    Attributes:
        kept: Successful episodes whose files are there.
    """

    def __init__(
        self,
        config: RecordConfig,
        directory: Path,
        spec: EnvSpec,
        past: Past,
        agent_factory: AgentFactory,
        definition: str = "",
    ) -> None:
        self._config, self._directory, self._spec, self._past = config, directory, spec, past
        self._worker = partial(RecordWorker, config, agent_factory, spec)
        self._workers = worker_count(config.workers, config.num_episodes)
        self._ledger = Ledger(directory, config, spec, past)
        self._backlog = Backlog(config, directory, self._ledger)
        lost = sum(attempt.outcome is Outcome.SUCCESS for attempt in self._backlog.missing.values())
        self.kept = self._ledger.count(Outcome.SUCCESS) - lost
        self._definition, self._written = definition, 0
        self._started = time.perf_counter()

    def run(self) -> RecordSummary:
        """Record what is not there yet.

        Raises:
            WorkerStartError: No worker could start, e.g. for want of OpenGL; nothing was begun.
            DatasetError: An episode could not be written, or every attempt breaks. What was recorded stays.
        """
        if not (self._past.complete and self._backlog.schedule.complete and not self._backlog.missing):
            config = self._config
            progress = Progress(config.task, config.num_episodes, initial=self.kept, quiet=config.quiet)
            with progress, RecordPool(self._worker, self._workers) as pool:
                pool.wait_until_ready()
                self._warn(progress)
                self._record(pool, progress)
        return self._summary()

    def _record(self, pool: RecordPool, progress: Progress) -> None:
        self._write_info(False)
        keep_definition(self._directory, self._definition)
        try:
            self._loop(pool, progress)
            format_named(str(self._config.format)).finish(self._directory, self._spec.task)
        except BaseException:
            with suppress(DatasetError):  # what went wrong first is what the user must hear
                self._write_info(False)
            raise
        self._write_info(self._backlog.schedule.complete)

    def _loop(self, pool: RecordPool, progress: Progress) -> None:
        self._feed(pool)
        while pool.pending:
            self._take(*pool.next_result())
            progress.update(self.kept, self._backlog.schedule.successes, self._backlog.schedule.attempted)
            self._feed(pool)

    def _feed(self, pool: RecordPool) -> None:
        """Keep every worker busy, and no more: results that wait to be written would pile up."""
        while pool.pending < max(1, self._workers) and (job := self._backlog.next_job()) is not None:
            pool.submit(job)

    def _take(self, job: RecordJob, result: RolloutResult | int | WorkerError) -> None:
        if isinstance(job, WriteJob):
            self._take_written(job, result)
        elif not isinstance(result, int):
            self._backlog.take(job.seed, result)

    def _take_written(self, job: WriteJob, result: object) -> None:
        if isinstance(result, WorkerError):
            error = DatasetError(f"{job.destination.episode.name} was not recorded. {result.message}")
            error.add_note(result.traceback)
            raise error
        self._written += 1
        self.kept += job.result.success

    def _warn(self, progress: Progress) -> None:
        left = self._config.num_episodes - self.kept
        warning = space_warning(self._config, self._directory, left, self._spec.horizon)
        if warning:
            progress.note(warning)

    def _write_info(self, complete: bool) -> None:
        wall_s = round(time.perf_counter() - self._started, 3)
        timings = {"wall_s": wall_s, "workers": self._workers, "written": self._written}
        self._ledger.write_info(episodes=self.kept, complete=complete, timings=timings)

    def _summary(self) -> RecordSummary:
        return RecordSummary(
            task=self._config.task,
            directory=self._directory,
            wanted=self._config.num_episodes,
            kept=self.kept,
            attempts=len(self._ledger.attempts),
            written=self._written,
            wall_s=time.perf_counter() - self._started,
            size=dataset_size(self._directory),
        )
