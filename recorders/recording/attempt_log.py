"""Writes what a recording attempted: attempts.jsonl row by row, and dataset.json."""

from collections.abc import Sequence

from ambidex.atomic_files import append_line
from ambidex.envs.types import Outcome, RolloutResult
from ambidex.errors import DatasetError
from ambidex.flags import flags_to_json, format_command
from ambidex.output_folder import versions
from ambidex.recorders.dataset.attempts import ATTEMPTS, Attempt
from ambidex.recorders.dataset.files import removed_episodes
from ambidex.recorders.dataset.info import DatasetInfo
from ambidex.recorders.recording.checks import TaskPlan
from ambidex.recorders.recording.config import RUN_ONLY

MAX_FIRST_ERRORS = 5  # a run ends if so many of its first attempts all raise errors


class AttemptLog:
    """The settled attempts of a dataset, in the order of their seeds. Successes are numbered as they are added.

    Attributes:
        attempts: All settled attempts, those of earlier runs first.
        successes: How many of them succeeded.
    """

    def __init__(self, plan: TaskPlan, earlier: Sequence[Attempt] = ()) -> None:
        self.attempts = list(earlier)
        self.successes = self._count(Outcome.SUCCESS)
        self._plan, self._path, self._earlier = plan, plan.directory / ATTEMPTS, len(earlier)

    def add(self, result: RolloutResult) -> Attempt:
        """Append the row of the next seed.

        Raises:
            DatasetError: It cannot be written, or the first attempts of this run all raised errors.
        """
        attempt = Attempt.of(result, self.successes if result.success else None)
        append_line(self._path, attempt.to_line())
        self.attempts.append(attempt)
        self.successes += result.success
        self._check_errors(self.attempts[self._earlier :])
        return attempt

    def write_info(self, *, episodes: int, complete: bool, timings: dict[str, float]) -> None:
        """Write dataset.json.

        Raises:
            DatasetError: It cannot be written.
        """
        config = self._plan.config
        DatasetInfo(
            env_spec=self._plan.spec,
            command=format_command("record-episodes", config, leave_out=RUN_ONLY),
            versions=versions(),
            format=str(config.format),
            storage=str(config.storage),
            attempts=len(self.attempts),
            successes=self.successes,
            failures=self._count(Outcome.FAILURE),
            errors=self._count(Outcome.ERROR),
            episodes=episodes,
            complete=complete,
            timings=timings,
            config=flags_to_json(config, leave_out=RUN_ONLY),
            removed=removed_episodes(self._plan.directory),
            seeds=self._plan.seeds,
        ).write(self._plan.directory)

    def _count(self, outcome: Outcome) -> int:
        return sum(attempt.outcome is outcome for attempt in self.attempts)

    def _check_errors(self, attempts: Sequence[Attempt]) -> None:
        if len(attempts) == MAX_FIRST_ERRORS and all(a.outcome is Outcome.ERROR for a in attempts):
            task, last = self._plan.config.task, attempts[-1]
            problem = f"{task}: the first {len(attempts)} attempts all raised errors. Seed {last.seed}: {last.reason}"
            hint = f"Correct the cause and record into an empty folder; {self._path} lists all errors."
            raise DatasetError(problem, hint, path=self._path, reason=last.reason)
