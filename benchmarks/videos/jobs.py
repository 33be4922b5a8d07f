"""Video jobs: which episode to render, in which style, and its result."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ambidex.benchmarks.results.row import CodeRuns, format_episodes
from ambidex.envs.registry import FAMILIES
from ambidex.envs.types import EnvSpec, Outcome
from ambidex.errors import DatasetError
from ambidex.text import pluralize

DETAILED = 2  # missing videos whose reason a message gives
BUDGET_MB = 60.0  # of all videos in a page, unless another is given; base64 makes them a third larger


@dataclass(frozen=True, kw_only=True)
class VideoStyle:
    """Cameras, size and quality of videos.

    Attributes:
        cameras: Camera names, shown side by side; empty for the first camera of the task's family.
        image_size: Height and width of each camera [px].
        quality: "standard" or "studio".
    """

    cameras: tuple[str, ...] = ()
    image_size: tuple[int, int] = (240, 320)
    quality: str = "standard"

    def spec(self, spec: EnvSpec) -> EnvSpec:
        """Spec of an environment that renders in this style."""
        return replace(
            spec,
            cameras=self.cameras or (FAMILIES[spec.family].cameras if spec.family else spec.cameras)[:1],
            image_size=self.image_size,
            render_quality=self.quality,
            init_states="",
            init_states_sha256="",
        )

    def folder(self, spec: EnvSpec) -> str:
        """Name of a folder for videos in this style, e.g. "top-240x320-standard"."""
        height, width = self.image_size
        return f"{'+'.join(self.spec(spec).cameras)}-{height}x{width}-{self.quality}"


DEFAULT_STYLE = VideoStyle()


@dataclass(frozen=True, kw_only=True)
class VideoJob:
    """One video to render.

    Attributes:
        spec: Spec of the environment that renders; see `VideoStyle.spec`.
        seed: Episode seed.
        outcome: How the episode ended.
        states: The file with its states: an episode file of a dataset, or one of a results folder.
        video: The file to write.
        codes: The code behind each action; empty for agents without codes.
        event_step: The control step at which a perturbation `event` set in; None if none did. A dataset has its own.
    """

    spec: EnvSpec
    seed: int
    outcome: Outcome
    states: Path
    video: Path
    codes: CodeRuns = ()
    event_step: int | None = None


class StatesError(DatasetError):
    """The states of an episode are missing, damaged or of another model. Other episodes may be fine."""


@dataclass(frozen=True, kw_only=True, order=True)
class MissingVideo:
    """An episode whose video cannot be rendered, and why. They sort by task and seed.

    `states` is the file that has or should have its states.
    """

    task: str
    seed: int
    states: Path
    reason: str


@dataclass(frozen=True, kw_only=True)
class RenderedVideos:
    """The files that video jobs wrote, and the episodes whose videos cannot be rendered, by task and seed."""

    videos: tuple[Path, ...] = ()
    missing: tuple[MissingVideo, ...] = ()


def describe_missing(videos: Sequence[MissingVideo]) -> str:
    """How many videos are missing and why; empty if none are."""
    if not videos:
        return ""
    reasons = "; ".join(f"{video.task}, seed {video.seed}: {video.reason}" for video in videos[:DETAILED])
    others = format_episodes((video.task, video.seed) for video in videos[DETAILED:])
    also = f"; and likewise {others}" if others else ""
    return f"{pluralize(len(videos), 'video')} could not be made. {reasons}{also}"
