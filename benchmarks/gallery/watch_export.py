"""Writes a gallery into one file, after making the videos that are to be in it."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from ambidex.benchmarks.film_job import FilmJob
from ambidex.benchmarks.gallery.report_embedding import by_interest
from ambidex.benchmarks.gallery.report_run import ReportRun
from ambidex.benchmarks.gallery.watch_look import film_job
from ambidex.benchmarks.look import Look
from ambidex.benchmarks.report import Report, make_report
from ambidex.benchmarks.rollout_videos import film_all

SAMPLE = 16  # videos whose size tells how many more there is room for


def export(
    runs: Sequence[ReportRun], path: Path, look: Look, *, budget_mb: float, workers: int | None, quiet: bool
) -> Report:
    """Make the videos that the page has room for, failures first, and write it.

    Args:
        runs: One, or two to compare, with their videos in the look.
        path: The file, replaced if it exists.
        look: How videos look.
        budget_mb: Size that all videos may have together [MB].
        workers: Worker processes; None for one per usable CPU, 0 to work in this process.
        quiet: Show no progress.

    Raises:
        DatasetError: The disk refuses.
    """
    first = film_all(_missing(runs, look, budget_mb)[:SAMPLE], workers, quiet=quiet)
    tried = {one.states for one in first.unfilmed}
    left = [job for job in _missing(runs, look, budget_mb) if job.states not in tried]
    rest = film_all(left, workers, quiet=quiet)
    return make_report(runs, path, budget_mb=budget_mb, tried=(*first.unfilmed, *rest.unfilmed))


def _missing(runs: Sequence[ReportRun], look: Look, budget_mb: float) -> list[FilmJob]:
    """How to make what is missing, as far as there is room for it beside what is there."""
    run_of = {episode.video: run for run in runs for episode in run.episodes}
    sizes = {video: video.stat().st_size for video in run_of if video.is_file()}
    usual = mean(sizes.values()) if sizes else 0.0
    jobs, room = list[FilmJob](), budget_mb * 1e6
    for episode in by_interest(runs):
        job = film_job(run_of[episode.video], episode, look)
        if room > 0 and not episode.filmed and job is not None:
            jobs.append(job)
        if episode.can_be_watched:
            room -= sizes.get(episode.video, usual)
    return jobs
