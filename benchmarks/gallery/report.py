"""Writes a page as one self-contained file, such as report.html, with as many videos as a budget allows."""

import shlex
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

from ambidex.atomic_files import TEMPORARY, write_error, write_text
from ambidex.benchmarks.gallery.model import GalleryEpisode, GalleryRun, Media, PageModel
from ambidex.benchmarks.gallery.page import page
from ambidex.benchmarks.gallery.poster import data_url, poster
from ambidex.benchmarks.gallery.results import read_results
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.states import missing_states
from ambidex.benchmarks.videos.jobs import BUDGET_MB, MissingVideo, VideoJob, VideoStyle, describe_missing
from ambidex.benchmarks.videos.make import render_videos
from ambidex.errors import DatasetError
from ambidex.text import pluralize

REPORT = "report.html"
SAMPLE = 16  # videos that are made first; their size tells how many more fit


@dataclass(frozen=True, kw_only=True)
class Report:
    """A page that was written.

    Attributes:
        path: The file.
        videos: How many videos it has.
        size: Size of the file [B].
        note: Which videos are not in it and how to see them; empty if all are.
        missing: Which videos could not be made and why; empty for none.
    """

    path: Path
    videos: int
    size: int
    note: str
    missing: str = ""

    def __str__(self) -> str:
        """One paragraph, without the videos that could not be made."""
        size = f"{pluralize(self.videos, 'video')}, {self.size / 1e6:.1f} MB"
        return f"{self.path}: {size}. {self.note}".strip()


def write_report(results: ResultsFolder, *, which: str = "all", missing: Sequence[MissingVideo] = ()) -> Report:
    """Write report.html of a results folder, with the videos that exist; see `make_report`."""
    return make_report([read_results(results)], results.path / REPORT, which=which, missing=missing)


def make_report(
    runs: Sequence[GalleryRun],
    path: Path,
    *,
    budget_mb: float = BUDGET_MB,
    which: str = "all",
    missing: Sequence[MissingVideo] = (),
) -> Report:
    """Write a self-contained page of one run, or of two to compare.

    Args:
        runs: What it shows.
        path: The file, replaced if it exists.
        budget_mb: Maximum size of all embedded videos together [MB].
        which: The videos that were requested: "failures", "all" or "none".
        missing: Videos that could not be made.
    """
    episodes = {element_id(i, e): e for i, run in enumerate(runs) for e in run.episodes}
    sizes = {e.video: e.video.stat().st_size for e in failures_first(runs) if e.has_video}
    failed, chosen = _missing(runs, missing), _fitting(sizes, budget_mb)
    media = {key: _media(key, episode, failed, chosen) for key, episode in episodes.items()}
    videos = {key: episodes[key].video for key in media if media[key].kind == "embedded"}
    note = _note(
        list(dict.fromkeys(run.folder for run in runs)),
        which,
        embedded=sum(episode.video in chosen for episode in episodes.values()),
        left_out=[size for file, size in sizes.items() if file not in chosen],
        not_made=sum(e.can_be_watched and not e.has_video and e.states not in failed for e in episodes.values()),
    )
    problems = describe_missing(list(failed.values()))
    notice = "\n".join(filter(None, (problems, note)))
    model = PageModel(runs=runs, media=lambda index, e: media[element_id(index, e)], notice=notice)
    write_text(path, page(model, videos))
    return Report(path=path, videos=len(videos), size=path.stat().st_size, note=note, missing=problems)


def export_page(
    runs: Sequence[GalleryRun], path: Path, style: VideoStyle, *, budget_mb: float, workers: int | None, quiet: bool
) -> Report:
    """Make the videos that fit into the budget, failures first, and write the page. The runs' folders stay as they are.

    Args:
        runs: One run, or two to compare, with their videos in the style.
        path: The file, replaced if it exists.
        style: Style of the videos.
        budget_mb: Maximum size of all videos together [MB].
        workers: Worker processes; None for one per usable CPU, 0 to work in this process.
        quiet: Show no progress.
    """
    with _folder_beside(path) as folder:
        runs = [_with_new_videos_in(folder / str(index), run) for index, run in enumerate(runs)]
        first = render_videos(_jobs(runs, style, budget_mb)[:SAMPLE], workers, quiet=quiet)
        failed = {video.states for video in first.missing}
        rest = [job for job in _jobs(runs, style, budget_mb) if job.states not in failed]
        second = render_videos(rest, workers, quiet=quiet)
        return make_report(runs, path, budget_mb=budget_mb, missing=(*first.missing, *second.missing))


@contextmanager
def _folder_beside(path: Path) -> Iterator[Path]:
    """A temporary folder where the page will be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = TemporaryDirectory(prefix=f".{path.name}{TEMPORARY}", dir=path.parent)
    except OSError as error:
        raise write_error(path, error) from error
    with folder as name:
        yield Path(name)


def _with_new_videos_in(folder: Path, run: GalleryRun) -> GalleryRun:
    """The run with the videos that do not exist yet in another folder."""
    episodes = (e if e.has_video else replace(e, video=folder / e.cell.folder / e.video_name) for e in run.episodes)
    return replace(run, episodes=tuple(episodes))


def _jobs(runs: Sequence[GalleryRun], style: VideoStyle, budget_mb: float) -> list[VideoJob]:
    """The videos to make, as far as the budget allows beside those that exist."""
    run_of = {episode.video: run for run in runs for episode in run.episodes}
    sizes = {video: video.stat().st_size for video in run_of if video.is_file()}
    typical = mean(sizes.values()) if sizes else 0.0
    jobs, left = list[VideoJob](), budget_mb * 1e6
    for episode in failures_first(runs):
        job = run_of[episode.video].video_job(episode, style)
        if left > 0 and not episode.has_video and job is not None:
            jobs.append(job)
        if episode.can_be_watched:
            left -= sizes.get(episode.video, typical)
    return jobs


def _missing(runs: Sequence[GalleryRun], failed: Sequence[MissingVideo]) -> dict[Path, MissingVideo]:
    """File of states -> the video that cannot be made from it, by task and seed."""
    without_states = [
        MissingVideo(task=e.task, seed=e.seed, states=e.missing_states, reason=str(missing_states(e.missing_states)))
        for run in runs
        for e in run.episodes
        if e.missing_states is not None and not e.has_video
    ]
    missing = {video.states: video for video in (*without_states, *failed)}
    return {video.states: video for video in sorted(missing.values())}


def _fitting(sizes: Mapping[Path, int], budget_mb: float) -> set[Path]:
    """The videos that fit into the budget: each in turn, if it still does."""
    chosen, left = set[Path](), budget_mb * 1e6
    for file, size in sizes.items():
        if size <= left:
            chosen.add(file)
            left -= size
    return chosen


def _note(folders: Sequence[Path], which: str, embedded: int, left_out: Sequence[int], not_made: int) -> str:
    """Which videos are not in the page though they can be watched, and how to watch them; empty if all are in it.

    Args:
        folders: The folders to give to watch-rollouts.
        which: The videos that were requested: "failures", "all" or "none".
        embedded: How many videos are in the page.
        left_out: Sizes of the videos that exist but do not fit into the budget [B].
        not_made: How many videos do not exist but can be made from stored states.
    """
    absent = len(left_out) + not_made
    if not absent:
        return ""
    reasons = []
    if not_made and which == "all":
        reasons.append(f"{_number(not_made, 'has', 'have')} not been made")
    elif not_made:
        reasons.append(f"{_number(not_made, 'was', 'were')} not requested (--video {which})")
    if left_out:
        size = f"{sum(left_out) / 1e6:.1f} MB"
        reasons.append(f"{_number(len(left_out), 'was', 'were')} left out to keep it small ({size})")
    return (
        f"{absent} of {pluralize(absent + embedded, 'video')} {'is' if absent == 1 else 'are'} not in the page: "
        f"{' and '.join(reasons)}. See {'it' if absent == 1 else 'them all'} with: "
        f"{shlex.join(['watch-rollouts', *map(str, folders)])}"
    )


def _number(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def element_id(run_index: int, episode: GalleryEpisode) -> str:
    """Id of the element that holds an episode's video."""
    return f"video-{run_index}-{episode.cell.folder}-{episode.task}-{episode.seed}"


def failures_first(runs: Sequence[GalleryRun]) -> list[GalleryEpisode]:
    """Failures and errors first, then successes, each by seed."""
    episodes = [episode for run in runs for episode in run.episodes]
    return sorted(episodes, key=lambda episode: (episode.success, episode.seed, episode.task))


def _media(key: str, episode: GalleryEpisode, failed: Mapping[Path, MissingVideo], chosen: Container[Path]) -> Media:
    if not episode.has_video:
        problem = failed.get(episode.states) if episode.states else None
        return Media(kind="absent", why=f"No video: {problem.reason}" if problem else why_absent(episode))
    try:
        image = data_url(poster(episode.video))
    except DatasetError as error:  # one damaged video must not prevent the page
        return Media(kind="absent", why=str(error))
    if episode.video in chosen:
        return Media(kind="embedded", address=key, poster=image)
    return Media(kind="absent", why="Left out of this file to keep it small.", poster=image)


def why_absent(episode: GalleryEpisode) -> str:
    """Why an episode has no video."""
    if episode.can_be_watched:
        return "No video yet. watch-rollouts makes it from the stored states."
    if episode.missing_states is not None:
        return f"No video: {missing_states(episode.missing_states)}"
    return "No video: the states of this episode were not stored."
