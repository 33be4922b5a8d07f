"""Decides what the workers of a recording do next, and numbers successes in the order of their seeds."""

from collections import deque
from collections.abc import Sequence

from ambidex.envs.types import RolloutResult
from ambidex.errors import DatasetError
from ambidex.recorders.dataset.attempts import Attempt
from ambidex.recorders.dataset.files import DatasetFiles
from ambidex.recorders.recording.attempt_log import AttemptLog
from ambidex.recorders.recording.config import RecordConfig
from ambidex.recorders.recording.worker import RecordJob, WriteJob
from ambidex.worker_pool.worker import WorkerError


class RecordingQueue:
    """The jobs of a recording: first episodes to write, then seeds whose files are missing, then new seeds.

    Outcomes may come in any order and are settled in the order of seeds, so episode numbers do not depend on which
    worker finishes first. Which seeds are attempted does not depend on it either: a seed is handed out only if it will
    be needed, that is if too few would have succeeded before it even if all seeds in progress succeed.

    Settled attempts are added to the log, which has those of earlier runs.

    Args:
        config: What to record, with every default filled in.
        log: The attempt log.
        files: The files of the dataset.
        seeds: The seeds to attempt, ascending, all of them; empty for those from the config's on until enough attempts
            have succeeded.

    Attributes:
        missing: Seed -> attempt of an earlier run whose files do not all exist.
    """

    def __init__(self, config: RecordConfig, log: AttemptLog, files: DatasetFiles, seeds: Sequence[int] = ()) -> None:
        self._config, self._log, self._files = config, log, files
        self.missing = {attempt.seed: attempt for attempt in log.attempts if files.are_missing(attempt)}
        self._missing_seeds = deque(self.missing)
        self._attempts_all = bool(seeds)
        self._seeds = seeds or range(config.seed, config.seed + (config.max_attempts or 0))
        self._started = len(log.attempts)
        self._running: set[int] = set()
        self._finished: dict[int, RolloutResult] = {}  # until all earlier seeds are settled
        self._to_write: deque[WriteJob] = deque()

    @property
    def complete(self) -> bool:
        """Enough attempts have succeeded, or all seeds of a shard have been attempted."""
        if self._attempts_all:
            return len(self._log.attempts) == len(self._seeds)
        return self._log.successes >= self._config.num_episodes

    def next_job(self) -> RecordJob | None:
        """The job to start now; None if there is none until a rollout has finished."""
        if self._to_write:
            return self._to_write.popleft()
        return self._missing_seeds.popleft() if self._missing_seeds else self._new_seed()

    def take(self, seed: int, result: RolloutResult | WorkerError) -> None:
        """Accept a finished rollout: log the attempts that are settled by it, and queue what is to be stored.

        Raises:
            DatasetError: The worker failed, the attempt log cannot be written, the first attempts all raised errors, or
                an attempt of an earlier run now ends differently.
        """
        if isinstance(result, WorkerError):
            # An agent's errors are outcomes; this one is the machine's, so the attempt is not logged.
            raise DatasetError(f"Seed {seed} of {self._config.task} was not attempted: {result.message}", seed=seed)
        if seed in self.missing:
            self._check_same(self.missing[seed], result)
            self._queue_writing(self.missing[seed], result)
            return
        self._running.remove(seed)
        self._finished[seed] = result
        for current in self._seeds[len(self._log.attempts) :]:
            if current not in self._finished:
                break
            settled = self._finished.pop(current)
            self._queue_writing(self._log.add(settled), settled)

    def _new_seed(self) -> int | None:
        finished = sum(result.success for result in self._finished.values())
        possible = self._log.successes + len(self._running) + finished
        if possible >= self._config.num_episodes or self._started >= len(self._seeds):
            return None
        seed = self._seeds[self._started]
        self._running.add(seed)
        self._started += 1
        return seed

    def _queue_writing(self, attempt: Attempt, result: RolloutResult) -> None:
        files = self._files.planned(attempt)
        if files is not None:
            self._to_write.append(WriteJob(result=result, files=files))

    def _check_same(self, earlier: Attempt, now: RolloutResult) -> None:
        if earlier.outcome is not now.outcome:
            problem = (
                f"{self._config.task}, seed {now.seed}: the attempt was a {earlier.outcome} and is now a {now.outcome} "
                f"({now.reason}). This machine computes differently, or the code has changed."
            )
            hint = "Resume where the dataset was recorded, or record into another folder."
            raise DatasetError(problem, hint, seed=now.seed, got=now.outcome, expected=earlier.outcome)
