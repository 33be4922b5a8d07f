"""The look that watch-rollouts was asked for."""

from dataclasses import replace
from pathlib import Path

from ambidex.benchmarks.film_job import FilmJob
from ambidex.benchmarks.gallery.report_episode import ReportEpisode
from ambidex.benchmarks.gallery.report_run import ReportRun
from ambidex.benchmarks.look import Look
from ambidex.envs.types import EnvSpec

USUAL = Look()


def in_look(run: ReportRun, look: Look) -> ReportRun:
    """The run with its videos in a look: those that are there in the usual one, else a folder of their own."""
    if look == USUAL:
        return run
    return replace(run, episodes=tuple(_in_look(run.specs[e.task], e, look) for e in run.episodes))


def check_look(spec: EnvSpec, look: Look, folder: Path) -> None:
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
        world_of,  # loads the simulator, which the usual look does not need
    )

    world_of(look.spec(spec), folder).close()


def film_job(run: ReportRun, episode: ReportEpisode, look: Look) -> FilmJob | None:
    """How to make an episode's video; None if its states were not kept."""
    if episode.states is None:
        return None
    return FilmJob(
        spec=look.spec(run.specs[episode.task]),
        seed=episode.seed,
        outcome=episode.outcome,
        states=episode.states,
        video=episode.video,
        codes=episode.codes,
    )


def _in_look(spec: EnvSpec, episode: ReportEpisode, look: Look) -> ReportEpisode:
    place: Path = episode.videos / look.folder(spec) / episode.video_name
    return replace(episode, video=place)
