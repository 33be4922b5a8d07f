"""The books of a recording: attempts.jsonl row by row, and dataset.json."""

from pathlib import Path

from ambidex.atomic_files import append_line
from ambidex.envs.types import EnvSpec, Outcome
from ambidex.errors import DatasetError
from ambidex.flags import flags_to_json, format_command
from ambidex.output_folder import row_to_line, versions
from ambidex.recorders.dataset.attempt import Attempt
from ambidex.recorders.dataset.dataset import ATTEMPTS
from ambidex.recorders.dataset.info import DatasetInfo
from ambidex.recorders.recording.config import RUN_ONLY, RecordConfig
from ambidex.recorders.recording.resume import Past

HOPELESS = 5  # attempts that break one after the other, before any does not, end a run


class Ledger:
    """Writes down what was attempted, in the order of seeds.

    Args:
        directory: The dataset's folder.
        config: Resolved config.
        spec: Spec of the environment.
        past: What earlier runs have done.

    Attributes:
        attempts: All settled attempts, those of earlier runs first.
    """

    def __init__(self, directory: Path, config: RecordConfig, spec: EnvSpec, past: Past) -> None:
        self.attempts = list(past.attempts)
        self._directory, self._config, self._spec = directory, config, spec
        self._before = len(past.attempts)

    def count(self, outcome: Outcome) -> int:
        """Attempts that ended so."""
        return sum(attempt.outcome is outcome for attempt in self.attempts)

    def add(self, attempt: Attempt) -> None:
        """Write down a settled attempt.

        Raises:
            DatasetError: It cannot be written, or all attempts of this run break.
        """
        append_line(self._directory / ATTEMPTS, row_to_line(attempt))
        self.attempts.append(attempt)
        fresh = self.attempts[self._before :]
        if len(fresh) == HOPELESS and all(a.outcome is Outcome.ERROR for a in fresh):
            raise DatasetError(
                f"{self._config.task}: the first {HOPELESS} attempts, seeds {fresh[0].seed} to {attempt.seed}, all "
                f"broke, so there is no use in going on. The last one said: {attempt.reason} "
                f"{self._directory / ATTEMPTS} has them all. Correct the cause and record into an empty folder."
            )

    def write_info(self, *, episodes: int, complete: bool, timings: dict[str, float]) -> None:
        """Write dataset.json.

        Raises:
            DatasetError: It cannot be written.
        """
        DatasetInfo(
            env_spec=self._spec,
            command=format_command("record-episodes", self._config, leave_out=RUN_ONLY),
            versions=versions(),
            format=str(self._config.format),
            storage=self._config.storage,
            attempts=len(self.attempts),
            successes=self.count(Outcome.SUCCESS),
            failures=self.count(Outcome.FAILURE),
            errors=self.count(Outcome.ERROR),
            episodes=episodes,
            complete=complete,
            timings=timings,
            config=flags_to_json(self._config, leave_out=RUN_ONLY),
        ).write(self._directory)
