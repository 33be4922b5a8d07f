"""What came out of recording one task."""

from dataclasses import dataclass
from pathlib import Path

from ambidex.intervals import rate_in_words
from ambidex.text import counted


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
            f"{self.task}: {counted(self.kept, 'episode')} kept, "
            f"success {rate_in_words(self.kept, self.attempts)}, {pace}, {self.size / 1e6:.1f} MB in {self.directory}"
        )

    def shortfall(self, command: str) -> str:
        """What to say when the attempts ran out; `command` is how to go on with this recording."""
        return (
            f"{self.task}: {self.kept} of {self.wanted} episodes were recorded after "
            f"{counted(self.attempts, 'attempt')}, and no more are allowed; "
            f"success {rate_in_words(self.kept, self.attempts)}. What was recorded stays in {self.directory}, and "
            f"{self.directory / 'attempts.jsonl'} says why each attempt failed. Go on with: {command}"
        )
