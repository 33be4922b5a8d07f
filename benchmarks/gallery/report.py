"""report.html: all of a results folder in one page that needs no network."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from ambidex.atomic_files import write_text
from ambidex.benchmarks.gallery.embedding import BUDGET_MB, Embedding, by_interest, name
from ambidex.benchmarks.gallery.model import Model
from ambidex.benchmarks.gallery.page import page
from ambidex.benchmarks.gallery.poster import data_address, poster
from ambidex.benchmarks.gallery.runs import Media, ReportEpisode, ReportRun
from ambidex.benchmarks.gallery.server.config import film_job
from ambidex.benchmarks.gallery.sources import read_results
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.states import missing_states
from ambidex.benchmarks.videos.jobs import MissingVideo, VideoJob, VideoStyle, describe_missing
from ambidex.benchmarks.videos.make import render_videos
from ambidex.errors import DatasetError
from ambidex.text import pluralize

REPORT = "report.html"


@dataclass(frozen=True, kw_only=True)
class Report:
    """A page that was written.

    Attributes:
        path: The file.
        videos: How many videos it holds.
        size: Of the file [B].
        note: What was left out and how to see it; empty if nothing was.
        unfilmed: Which videos could not be made and why; empty for none.
    """

    path: Path
    videos: int
    size: int
    note: str
    unfilmed: str = ""

    def in_words(self) -> str:
        """One paragraph, without what could not be made."""
        size = f"{pluralize(self.videos, 'video')}, {self.size / 1e6:.1f} MB"
        return f"{self.path}: {size}. {self.note}".strip()


def write_report(results_dir: Path) -> Path:
    """Write report.html of a results folder, with the videos that are there.

    Raises:
        DatasetError: The results are damaged, or the disk refuses.
    """
    return report_on(ResultsFolder(results_dir)).path


def report_on(results: ResultsFolder, *, asked: str = "all", tried: Sequence[MissingVideo] = ()) -> Report:
    """Write report.html of a results folder, with the videos that are there, and say what is in it.

    Args:
        results: The results folder.
        asked: Which videos were asked for: "failures", "all" or "none".
        tried: Episodes of which no video could be made.

    Raises:
        DatasetError: The results are damaged, or the disk refuses.
    """
    return make_report([read_results(results)], results.path / REPORT, asked=asked, tried=tried)


def make_report(
    runs: Sequence[ReportRun],
    path: Path,
    *,
    budget_mb: float = BUDGET_MB,
    asked: str = "all",
    tried: Sequence[MissingVideo] = (),
) -> Report:
    """Write a self-contained page of one run, or of two to compare.

    Args:
        runs: What it shows.
        path: The file, replaced if it exists.
        budget_mb: Size that all embedded videos may have together [MB].
        asked: Which videos were asked for: "failures", "all" or "none".
        tried: Episodes of which no video could be made.

    Raises:
        DatasetError: The disk refuses.
    """
    embedding = Embedding.of(runs, budget_mb, tried)
    note, unfilmed = embedding.in_words([run.folder for run in runs], asked), describe_missing(embedding.unfilmed)
    notice = "\n".join(filter(None, (unfilmed, note)))
    media = {name(i, e): _media(embedding, name(i, e), e) for i, run in enumerate(runs) for e in run.episodes}
    videos = {key: file for key, file in embedding.chosen.items() if media[key].kind == "embedded"}
    write_text(path, page(Model(runs=runs, media=lambda index, e: media[name(index, e)], notice=notice), videos))
    return Report(path=path, videos=len(videos), size=path.stat().st_size, note=note, unfilmed=unfilmed)


def _media(embedding: Embedding, key: str, episode: ReportEpisode) -> Media:
    if not episode.filmed:
        tried = next((one for one in embedding.unfilmed if one.states == episode.states), None)
        return Media(kind="absent", why=f"No video: {tried.reason}" if tried else why_absent(episode))
    try:
        still = data_address(poster(episode.video))
    except DatasetError as error:  # one damaged video is no reason to show none
        return Media(kind="absent", why=str(error))
    if key in embedding.chosen:
        return Media(kind="embedded", address=key, poster=still)
    return Media(kind="absent", why="Left out of this file to keep it small.", poster=still)


def why_absent(episode: ReportEpisode) -> str:
    """Why there is no video of an episode, in words."""
    if episode.can_be_watched:
        return "No video yet. watch-rollouts makes it from the stored states."
    if episode.lost is not None:
        return f"No video: {missing_states(episode.lost)}"
    return "No video: the states of this episode were not kept."


# FOLDED benchmarks.gallery.watch_export: Writes a gallery into one file, after making the videos that are to be in it.

SAMPLE = 16  # videos whose size tells how many more there is room for


def export(
    runs: Sequence[ReportRun], path: Path, look: VideoStyle, *, budget_mb: float, workers: int | None, quiet: bool
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
    first = render_videos(_missing(runs, look, budget_mb)[:SAMPLE], workers, quiet=quiet)
    tried = {one.states for one in first.missing}
    left = [job for job in _missing(runs, look, budget_mb) if job.states not in tried]
    rest = render_videos(left, workers, quiet=quiet)
    return make_report(runs, path, budget_mb=budget_mb, tried=(*first.missing, *rest.missing))


def _missing(runs: Sequence[ReportRun], look: VideoStyle, budget_mb: float) -> list[VideoJob]:
    """How to make what is missing, as far as there is room for it beside what is there."""
    run_of = {episode.video: run for run in runs for episode in run.episodes}
    sizes = {video: video.stat().st_size for video in run_of if video.is_file()}
    usual = mean(sizes.values()) if sizes else 0.0
    jobs, room = list[VideoJob](), budget_mb * 1e6
    for episode in by_interest(runs):
        job = film_job(run_of[episode.video], episode, look)
        if room > 0 and not episode.filmed and job is not None:
            jobs.append(job)
        if episode.can_be_watched:
            room -= sizes.get(episode.video, usual)
    return jobs
