"""The video of one episode, to be made."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from ambidex.benchmarks.results.reading import format_seeds
from ambidex.benchmarks.results.row import CodeRuns
from ambidex.envs.registry import FAMILIES
from ambidex.envs.types import EnvSpec, Outcome
from ambidex.errors import DatasetError
from ambidex.text import pluralize


@dataclass(frozen=True, kw_only=True)
class VideoJob:
    """Make the video of one episode.

    Attributes:
        spec: Of the environment that renders: its cameras, image size and quality; see `Look.spec`.
        seed: Episode seed.
        outcome: How it ended.
        states: The file with its states: an episode file of a dataset, or one of a results folder.
        video: The file to write.
        codes: The code behind each action; empty for who has none.
    """

    spec: EnvSpec
    seed: int
    outcome: Outcome
    states: Path
    video: Path
    codes: CodeRuns = ()


# FOLDED benchmarks.look: How videos of stored episodes look.


@dataclass(frozen=True, kw_only=True)
class VideoStyle:
    """How videos of stored episodes look.

    Attributes:
        cameras: What they show, side by side; empty for the first camera of the task's family.
        image_size: Height and width of each camera [px].
        quality: "standard" or "studio".
    """

    cameras: tuple[str, ...] = ()
    image_size: tuple[int, int] = (240, 320)
    quality: str = "standard"

    def spec(self, spec: EnvSpec) -> EnvSpec:
        """The spec of an environment that renders so."""
        return replace(
            spec,
            cameras=self.cameras or FAMILIES[spec.family].cameras[:1],
            image_size=self.image_size,
            render_quality=self.quality,
            init_states="",
            init_states_sha256="",
        )

    def folder(self, spec: EnvSpec) -> str:
        """A name for the videos of this look, e.g. "top-240x320-standard"."""
        height, width = self.image_size
        return f"{'+'.join(self.spec(spec).cameras)}-{height}x{width}-{self.quality}"


# FOLDED benchmarks.unfilmed: Episodes of which no video can be made.

SHOWN = 2  # reasons that are told in full


class StatesError(DatasetError):
    """The states of one episode are missing, damaged or of another world. Others may be good."""


@dataclass(frozen=True, kw_only=True)
class MissingVideo:
    """An episode of which no video can be made.

    Attributes:
        task: Task name.
        seed: Episode seed.
        states: The file with its states, there or not.
        reason: In a paragraph, with what to do.
    """

    task: str
    seed: int
    states: Path
    reason: str


def describe_missing(episodes: Sequence[MissingVideo]) -> str:
    """What is to be said of episodes without a video; empty for none."""
    if not episodes:
        return ""
    told = "; ".join(f"{episode.task}, seed {episode.seed}: {episode.reason}" for episode in episodes[:SHOWN])
    others = format_seeds((episode.task, episode.seed) for episode in episodes[SHOWN:])
    also = f"; and likewise {others}" if others else ""
    return f"{pluralize(len(episodes), 'video')} could not be made. {told}{also}"


# FOLDED benchmarks.films: What came of making videos.


@dataclass(frozen=True, kw_only=True)
class RenderedVideos:
    """What came of making videos.

    Attributes:
        videos: The videos that were made.
        missing: The episodes of which none can be made, by task and seed.
    """

    videos: tuple[Path, ...] = ()
    missing: tuple[MissingVideo, ...] = ()

    @classmethod
    def of(cls, results: Iterable[Path | MissingVideo]) -> Self:
        """Of results in any order."""
        videos, missing = list[Path](), list[MissingVideo]()
        for result in results:
            if isinstance(result, MissingVideo):
                missing.append(result)
            else:
                videos.append(result)
        return cls(videos=tuple(videos), missing=tuple(sorted(missing, key=lambda one: (one.task, one.seed))))
