"""The flags of `watch-rollouts`."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import tyro

from ambidex.benchmarks.gallery.embedding import BUDGET_MB
from ambidex.benchmarks.gallery.runs import ReportEpisode, ReportRun
from ambidex.benchmarks.videos.jobs import VideoJob, VideoStyle
from ambidex.envs.types import EnvSpec
from ambidex.flags import ImageSize, Names, OptionalInt, OptionalPath, Switch
from ambidex.recorders.recording.config import Quality

PORT = 8400


@dataclass(frozen=True, kw_only=True)
class WatchConfig:
    """Watch episodes in the browser: success rates, how far they got, and a video of each.

    Videos that are missing are made from the stored states when they are asked for. Ctrl-C ends it. To watch what lies
    on another machine, run it there, and here: ssh -L 8400:127.0.0.1:8400 MACHINE.
    """

    paths: tyro.conf.Positional[Annotated[tuple[Path, ...], tyro.conf.arg(metavar="PATH [PATH2]")]]
    """A folder of run-benchmark or of record-episodes. With a second one, both are shown side by side, seed by seed."""
    port: OptionalInt = None
    """Where on 127.0.0.1 the page is served; auto is 8400, or the next port that is free; 0 takes any."""
    export: OptionalPath = None
    """Write one self-contained page to this file instead, with its videos in it."""
    budget: float = BUDGET_MB
    """With --export, the videos in the page may have this size together [MB]. Failures come first."""
    cameras: Names = None
    """Cameras of the videos, side by side; auto is the first one of the task's family, or the recorded videos."""
    image_size: ImageSize = None
    """Height and width of each camera [px]; auto is 240 320."""
    render_quality: Quality = VideoStyle.quality
    """standard is fast; studio has shadows and smooth edges."""
    workers: OptionalInt = None
    """With --export, worker processes that make videos; auto is one per usable CPU, 0 works in this process."""
    quiet: Switch = False
    """Say nothing but the address and errors."""
    debug: Switch = False
    """Show tracebacks."""


# FOLDED benchmarks.gallery.watch_look: The look that watch-rollouts was asked for.

USUAL = VideoStyle()


def in_look(run: ReportRun, look: VideoStyle) -> ReportRun:
    """The run with its videos in a look: those that are there in the usual one, else a folder of their own."""
    if look == USUAL:
        return run
    return replace(run, episodes=tuple(_in_look(run.specs[e.task], e, look) for e in run.episodes))


def check_look(spec: EnvSpec, look: VideoStyle, folder: Path) -> None:
    """Refuse what cannot be rendered before anybody waits for it.

    Args:
        spec: Of the episodes.
        look: What was asked for.
        folder: Where the episodes lie.

    Raises:
        DatasetError: The task's definition is gone or has changed, and there is no copy in the folder.
        UnknownNameError: An unknown camera or quality.
        UsageError: An image size out of range, or a camera named twice.
    """
    from ambidex.recorders.dataset.environment import (
        stored_environment,  # loads the simulator, which the usual look does not need
    )

    stored_environment(look.spec(spec), folder).close()


def film_job(run: ReportRun, episode: ReportEpisode, look: VideoStyle) -> VideoJob | None:
    """How to make an episode's video; None if its states were not kept."""
    if episode.states is None:
        return None
    return VideoJob(
        spec=look.spec(run.specs[episode.task]),
        seed=episode.seed,
        outcome=episode.outcome,
        states=episode.states,
        video=episode.video,
        codes=episode.codes,
    )


def _in_look(spec: EnvSpec, episode: ReportEpisode, look: VideoStyle) -> ReportEpisode:
    place: Path = episode.videos / look.folder(spec) / episode.video_name
    return replace(episode, video=place)
