"""Records one task into one folder: feeds the worker processes and takes their results."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ambidex.cluster.pools import start_pool
from ambidex.envs.types import Outcome, RolloutResult
from ambidex.errors import DatasetError
from ambidex.intervals import format_rate
from ambidex.progress import Progress
from ambidex.recorders.dataset.attempts import ATTEMPTS, Attempt
from ambidex.recorders.dataset.environment import save_definition
from ambidex.recorders.dataset.files import DatasetFiles, dataset_size
from ambidex.recorders.formats.registry import format_named
from ambidex.recorders.recording.attempt_log import AttemptLog
from ambidex.recorders.recording.checks import TaskPlan, space_warning
from ambidex.recorders.recording.queue import RecordingQueue
from ambidex.recorders.recording.worker import AgentFactory, RecordJob, RecordWorker, WriteJob
from ambidex.text import pluralize
from ambidex.worker_pool.job_pool import JobPool
from ambidex.worker_pool.worker import WorkerError

RecordPool = JobPool[RecordJob, RolloutResult | None, Any]


@dataclass(frozen=True, kw_only=True)
class RecordSummary:
    """The result of recording one task.

    Attributes:
        task: Task name.
        directory: The dataset's folder.
        wanted: Episodes asked for.
        stored: Successful episodes in the dataset.
        attempts: Seeds attempted.
        written: Episodes that this run wrote, stored failures included.
        wall_s: Duration of this run [s].
        size: Size of all files of the dataset [B].
    """

    task: str
    directory: Path
    wanted: int
    stored: int
    attempts: int
    written: int
    wall_s: float
    size: int

    @property
    def complete(self) -> bool:
        """All episodes asked for are stored."""
        return self.stored >= self.wanted

    def __str__(self) -> str:
        """One line."""
        pace = f"{self.wall_s / self.written:.2f} s per episode" if self.written else "already complete"
        return (
            f"{self.task}: {pluralize(self.stored, 'episode')} stored, "
            f"success {format_rate(self.stored, self.attempts)}, {pace}, {self.size / 1e6:.1f} MB in {self.directory}"
        )

    def __repr__(self) -> str:
        return f"<RecordSummary {self}>"

    def shortfall(self, command: str) -> str:
        """The message when the attempts ran out; `command` resumes this recording."""
        return (
            f"{self.task}: only {self.stored} of {self.wanted} episodes were recorded in the "
            f"{pluralize(self.attempts, 'attempt')} allowed; success {format_rate(self.stored, self.attempts)}. "
            f"{self.directory / ATTEMPTS} says why attempts failed. To allow more, resume with: {command}"
        )


class RecordingSession:
    """Attempts seeds until enough have succeeded, and has their episodes rendered and written.

    Args:
        plan: What to record; its folder exists and is locked.
        earlier: The attempts of earlier runs.
        was_complete: Everything that they were asked for was recorded.
        agent_factory: Makes each worker's agent.

    Attributes:
        stored: Successful episodes whose files exist.
        wanted: Successful episodes to store; of a shard at most.
    """

    def __init__(
        self, plan: TaskPlan, earlier: Sequence[Attempt], was_complete: bool, agent_factory: AgentFactory
    ) -> None:
        config = plan.config
        self._plan, self._config, self._was_complete = plan, config, was_complete
        options = config.write_options
        self._make_worker = partial(
            RecordWorker, plan.spec, options, agent_factory, renders=config.renders, mix=config.perturb_mix
        )
        self.wanted = len(plan.seeds) or config.num_episodes
        self._workers = 0
        self._format = format_named(options.format)
        files = DatasetFiles(plan.directory, self._format, failures=config.keep_failures, video=config.video)
        self._log = AttemptLog(plan, earlier)
        self._queue = RecordingQueue(config, self._log, files, plan.seeds)
        missing = sum(attempt.outcome is Outcome.SUCCESS for attempt in self._queue.missing.values())
        self.stored = self._log.successes - missing
        self._written, self._solved_at_start = 0, False
        self._started = time.perf_counter()

    def run(self) -> RecordSummary:
        """Record what is not stored yet.

        Raises:
            WorkerStartError: No worker could start, e.g. for lack of OpenGL; nothing was written.
            DatasetError: An episode could not be written, or the first attempts all raised errors. What was recorded
                stays.
        """
        if not (self._was_complete and self._queue.complete and not self._queue.missing):
            config = self._config
            bar = Progress(config.task, self.wanted, initial=self.stored, quiet=config.quiet)
            with bar, self._start_pool() as pool:
                pool.wait_until_ready()
                self._workers = pool.size
                warning = space_warning(self._plan, self.wanted - self.stored)
                for note in filter(None, (pool.note, self._plan.note, warning)):
                    bar.note(note)
                self._record(pool, bar)
        return self._summary()

    def _start_pool(self) -> RecordPool:
        config, directory = self._config, self._plan.directory
        return start_pool(
            self._make_worker, directory, jobs=self.wanted, workers=config.workers, cluster=config.cluster
        )

    def _record(self, pool: RecordPool, bar: Progress) -> None:
        self._write_info(complete=False)
        save_definition(self._plan.directory, self._plan.definition)
        try:
            self._loop(pool, bar)
            self._format.finish(self._plan.directory, self._plan.spec.task)
        except BaseException:
            with suppress(DatasetError):  # the first error is the one to report
                self._write_info(complete=False)
            raise
        self._write_info(complete=self._queue.complete)

    def _loop(self, pool: RecordPool, bar: Progress) -> None:
        self._feed(pool)
        while pool.pending:
            self._take(bar, *pool.next_result())
            bar.update(self.stored, self._log.successes, len(self._log.attempts))
            self._feed(pool)

    def _feed(self, pool: RecordPool) -> None:
        """Keep every worker busy, and queue no more: results that wait to be written would pile up."""
        while pool.pending < max(1, self._workers) and (job := self._queue.next_job()) is not None:
            pool.submit(job.relative_to(self._plan.directory) if isinstance(job, WriteJob) else job)

    def _take(self, bar: Progress, job: RecordJob, result: RolloutResult | WorkerError | None) -> None:
        if isinstance(job, WriteJob):
            self._take_written(job, result)
        elif result is not None:
            if isinstance(result, RolloutResult) and result.solved_at_start and not self._solved_at_start:
                bar.note(f"Seed {result.seed}: the goal holds before the first action. Other seeds may start so too.")
                self._solved_at_start = True
            self._queue.take(job, result)

    def _take_written(self, job: WriteJob, result: object) -> None:
        if isinstance(result, WorkerError):
            path = self._plan.directory / job.files.episode
            raise result.raised(f"{path.name} was not recorded.", path)
        self._written += 1
        self.stored += job.result.success

    def _write_info(self, *, complete: bool) -> None:
        wall_s = round(time.perf_counter() - self._started, 3)
        timings = {"wall_s": wall_s, "workers": self._workers, "written": self._written}
        self._log.write_info(episodes=self.stored, complete=complete, timings=timings)

    def _summary(self) -> RecordSummary:
        return RecordSummary(
            task=self._config.task,
            directory=self._plan.directory,
            wanted=self._log.successes if self._plan.seeds else self.wanted,
            stored=self.stored,
            attempts=len(self._log.attempts),
            written=self._written,
            wall_s=time.perf_counter() - self._started,
            size=dataset_size(self._plan.directory),
        )
