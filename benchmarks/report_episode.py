"""One episode as the gallery shows it, wherever it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ambidex.envs.types import Outcome


@dataclass(frozen=True, kw_only=True)
class ReportEpisode:
    """One episode as the gallery shows it.

    Attributes:
        task: Task name.
        seed: Episode seed.
        outcome: How it ended.
        stage: Highest stage reached, an index into the spec's stages.
        reason: Empty on success; otherwise which checks failed, or the error.
        checks: The task's conditions at the last step, by name; empty if they were not kept.
        facts: What else is known, as name and value.
        command: Runs this episode again.
        video: Where its video lies, or would lie; None for an episode that cannot have one.
        states: The file with its states, from which a video can be made; None if they were not kept.
    """

    task: str
    seed: int
    outcome: Outcome
    stage: int
    reason: str
    checks: Mapping[str, bool]
    facts: tuple[tuple[str, str], ...]
    command: str
    video: Path | None
    states: Path | None

    @property
    def success(self) -> bool:
        return self.outcome is Outcome.SUCCESS
