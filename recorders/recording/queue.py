"""Which seed to roll out next, and which episode number a success gets: pure functions of the outcomes."""

from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from ambidex.envs.types import Outcome, RolloutResult
from ambidex.errors import DatasetError
from ambidex.recorders.dataset.attempt import Attempt
from ambidex.recorders.dataset.files import DatasetFiles
from ambidex.recorders.dataset.layout import Destination
from ambidex.recorders.formats.registry import format_named
from ambidex.recorders.recording.attempt_log import Ledger
from ambidex.recorders.recording.config import RecordConfig
from ambidex.recorders.recording.worker import RecordJob, RolloutJob, WriteJob
from ambidex.worker_pool import WorkerError

Payload = TypeVar("Payload")


@dataclass(frozen=True, kw_only=True)
class Decided(Generic[Payload]):
    """An attempt whose place in the dataset is settled.

    Attributes:
        seed: Episode seed.
        episode: Episode number; None for a failure.
        payload: What came with the outcome.
    """

    seed: int
    episode: int | None
    payload: Payload


class Schedule(Generic[Payload]):
    """Seeds first, first + 1, ... until enough have succeeded.

    Outcomes may come in any order and are settled in the order of seeds, so episode numbers do not depend on who
    finishes first. No seed is given out that might not be needed, so what was attempted does not depend on it either:
    a seed is needed only if fewer than `wanted` would have succeeded before it, should all those still open succeed.

    Attributes:
        attempted: Seeds settled.
        successes: Those of them that succeeded.
    """

    def __init__(
        self, *, first_seed: int, wanted: int, max_attempts: int, attempted: int = 0, successes: int = 0
    ) -> None:
        self.attempted = attempted
        self.successes = successes
        self._first = first_seed
        self._wanted = wanted
        self._max_attempts = max_attempts
        self._next = first_seed + attempted
        self._open: set[int] = set()
        self._early: dict[int, tuple[bool, Payload]] = {}

    @property
    def complete(self) -> bool:
        """Enough have succeeded."""
        return self.successes >= self._wanted

    def next_seed(self) -> int | None:
        """A seed to roll out now; None if there is none that will surely be needed."""
        possible = self.successes + len(self._open) + sum(success for success, _ in self._early.values())
        if possible >= self._wanted or self._next >= self._first + self._max_attempts:
            return None
        self._open.add(self._next)
        self._next += 1
        return self._next - 1

    def finish(self, seed: int, success: bool, payload: Payload) -> list[Decided[Payload]]:
        """Take in an outcome; returns the attempts that it settles, in the order of their seeds."""
        self._open.remove(seed)
        self._early[seed] = (success, payload)
        settled = []
        while (current := self._first + self.attempted) in self._early:
            settled.append(self._settle(current, *self._early.pop(current)))
        return settled

    def _settle(self, seed: int, success: bool, payload: Payload) -> Decided[Payload]:
        decided = Decided(seed=seed, episode=self.successes if success else None, payload=payload)
        self.attempted += 1
        self.successes += success
        return decided


# FOLDED recorders.backlog: What is still to be done in a recording, in the order in which to do it.

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
