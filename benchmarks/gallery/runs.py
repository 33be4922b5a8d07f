"""One results or dataset folder as the gallery shows it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ambidex.benchmarks.results.row import CodeRuns
from ambidex.envs.types import EnvSpec, Outcome

# FOLDED benchmarks.gallery.report_episode: One episode as the gallery shows it, wherever it comes from.


@dataclass(frozen=True, kw_only=True)
class ReportEpisode:
    """One episode as the gallery shows it.

    Attributes:
        task: Task name.
        seed: Episode seed.
        outcome: How it ended.
        stage: Highest stage reached, an index into the spec's stages.
        steps: Control steps taken.
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
    steps: int
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


@dataclass(frozen=True, kw_only=True)
class ReportRun:
    """One results or dataset folder as the gallery shows it.

    Attributes:
        folder: Where it lies.
        label: Who acted, in short.
        facts: What is to be said about it as a whole, as name and value.
        specs: Task -> spec of its environment, in the order to show.
        episodes: By task and seed.
        warning: What a reader should know before trusting its rates; empty for nothing.
        shortfall: Which episodes are not there that should be; empty for none.
        asked: Episodes of each task that were asked for; None if nobody knows.
    """

    folder: Path
    label: str
    facts: tuple[tuple[str, str], ...]
    specs: Mapping[str, EnvSpec]
    episodes: tuple[ReportEpisode, ...]
    warning: str = ""
    shortfall: str = ""
    asked: int | None = None

    @property
    def tasks(self) -> tuple[str, ...]:
        """Task names in the order to show."""
        return tuple(self.specs)


# FOLDED benchmarks.gallery.report_media: How the page gets at one episode's video.


@dataclass(frozen=True, kw_only=True)
class Media:
    """How the page gets at one episode's video.

    Attributes:
        kind: "embedded" in the page, "served" beside it, or "absent".
        address: Of what is embedded: the id of its element. Of what is served: its address without the ending.
        ready: What is served is there; otherwise it is made when asked for.
        poster: Address of the still picture; empty for the server's, or none.
        why: Why it is absent, in words.
    """

    kind: str
    address: str = ""
    ready: bool = False
    poster: str = ""
    why: str = ""

    def to_dict(self) -> dict[str, object]:
        """JSON-ready, without what is empty."""
        return {name: value for name, value in asdict(self).items() if value}
