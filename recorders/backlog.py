"""What is still to be done in a recording, in the order in which to do it."""

from collections import deque
from dataclasses import replace
from pathlib import Path

from ambidex.envs.types import Outcome, RolloutResult
from ambidex.errors import DatasetError
from ambidex.recorders.attempt import Attempt
from ambidex.recorders.dataset_files import DatasetFiles
from ambidex.recorders.destination import Destination
from ambidex.recorders.formats import format_named
from ambidex.recorders.ledger import Ledger
from ambidex.recorders.record_config import RecordConfig
from ambidex.recorders.record_worker import RecordJob, RolloutJob, WriteJob
from ambidex.recorders.schedule import Schedule
from ambidex.worker_pool import WorkerError

Rolled = tuple[Attempt, RolloutResult]


class Backlog:
    """Hands out jobs and takes in rollouts: what waits to be written comes first, then lost files, then new seeds.

    Args:
        config: Resolved config.
        directory: The dataset's folder.
        ledger: The books, which hold the attempts of earlier runs.

    Attributes:
        missing: Seed -> attempt of an earlier run whose files are not all there.
        schedule: Decides which new seeds to attempt.
    """

    def __init__(self, config: RecordConfig, directory: Path, ledger: Ledger) -> None:
        self._config, self._ledger = config, ledger
        self._files = DatasetFiles(directory, format_named(str(config.format)))
        places = ((attempt, self._destination(attempt)) for attempt in ledger.attempts)
        self.missing = {
            attempt.seed: attempt
            for attempt, place in places
            if place is not None and not self._files.has(attempt, place)
        }
        self.schedule: Schedule[Rolled] = Schedule(
            first_seed=config.seed,
            wanted=config.num_episodes,
            max_attempts=config.max_attempts or 0,
            attempted=len(ledger.attempts),
            successes=ledger.count(Outcome.SUCCESS),
        )
        self._again = deque(self.missing)
        self._to_write: deque[WriteJob] = deque()

    def next_job(self) -> RecordJob | None:
        """What to do now; None if there is nothing until a rollout comes in."""
        if self._to_write:
            return self._to_write.popleft()
        seed = self._again.popleft() if self._again else self.schedule.next_seed()
        return None if seed is None else RolloutJob(seed=seed)

    def take(self, seed: int, result: RolloutResult | WorkerError) -> None:
        """Take in a rollout: write down what it settles, and queue what is kept.

        Raises:
            DatasetError: The worker failed, the books cannot be written, every attempt breaks, or an attempt of an
                earlier run now ends otherwise.
        """
        if isinstance(result, WorkerError):
            # An agent's errors are outcomes; this is the machine's, and would not be there next time. No row.
            raise DatasetError(f"Seed {seed} of {self._config.task} was not attempted to its end. {result.message}")
        row = Attempt.of(result)
        if seed in self.missing:
            self._check_same(self.missing[seed], row)
            self._keep(self.missing[seed], result)
            return
        for settled in self.schedule.finish(seed, row.outcome is Outcome.SUCCESS, (row, result)):
            attempt = replace(settled.payload[0], episode=settled.episode)
            self._ledger.add(attempt)
            self._keep(attempt, settled.payload[1])

    def _keep(self, attempt: Attempt, result: RolloutResult) -> None:
        place = self._destination(attempt)
        if place is not None:
            self._to_write.append(WriteJob(result=result, destination=place))

    def _destination(self, attempt: Attempt) -> Destination | None:
        config = self._config
        return self._files.destination(attempt, keep_failures=config.keep_failures, video=config.video)

    def _check_same(self, first: Attempt, again: Attempt) -> None:
        if first.outcome is not again.outcome:
            raise DatasetError(
                f"{self._config.task}, seed {first.seed}: the first time the attempt was a {first.outcome}, and now it "
                f"is a {again.outcome} ({again.reason}). Either this machine computes differently, or the code "
                "has changed. Go on where the dataset was begun, or record into another folder."
            )
