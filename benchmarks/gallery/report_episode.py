"""One episode as the gallery shows it, wherever it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ambidex.benchmarks.code_runs import CodeRuns
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
        videos: The folder of its run's videos.
        video_name: Its path within that folder, or within the folder of a look in there.
        video: Its video in the usual look, there or not.
        states: The file with its states, from which a video can be made; None if it is not there.
        codes: The code behind each action; empty for who has none.
        lost: The file that its states should be in, if it is not there; None if it is, or if they were not kept.
    """

    task: str
    seed: int
    outcome: Outcome
    stage: int
    reason: str
    checks: Mapping[str, bool]
    facts: tuple[tuple[str, str], ...]
    command: str
    videos: Path
    video_name: str
    video: Path
    states: Path | None
    codes: CodeRuns = ()
    lost: Path | None = None

    @property
    def success(self) -> bool:
        return self.outcome is Outcome.SUCCESS

    @property
    def filmed(self) -> bool:
        """The video is there."""
        return self.video.is_file()

    @property
    def can_be_watched(self) -> bool:
        """The video is there, or can be made."""
        return self.filmed or self.states is not None
