"""Makes the videos of a results folder from its stored states: with any camera, size and quality, at any time."""

from collections.abc import Sequence
from pathlib import Path

from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.videos.jobs import DEFAULT_STYLE, MissingVideo, RenderedVideos, VideoJob, VideoStyle
from ambidex.benchmarks.videos.worker import VideoWorker
from ambidex.envs.perturbations.registry import event_step
from ambidex.errors import check_name
from ambidex.progress import Progress
from ambidex.worker_pool.pool import Pool, worker_count
from ambidex.worker_pool.worker import WorkerError

VIDEO_CHOICES = ("failures", "all", "none")


def make_videos(
    results: ResultsFolder,
    which: str = "failures",
    style: VideoStyle = DEFAULT_STYLE,
    workers: int | None = None,
    *,
    replace: bool = False,
    quiet: bool = True,
) -> RenderedVideos:
    """Make the videos that a results folder lacks.

    Args:
        results: The results folder.
        which: "failures" (includes errors), "all" or "none".
        style: Cameras, size and quality.
        workers: Worker processes; None for one per usable CPU, 0 to work in this process.
        replace: Make existing videos again.
        quiet: Show no progress.

    Raises:
        UnknownNameError: Unknown choice, camera or quality.
        DatasetError: Results are missing or damaged, or a file cannot be written.
        RenderingError: There is no OpenGL.
    """
    return render_videos(jobs_of(results, which, style, replace=replace), workers, quiet=quiet)


def jobs_of(
    results: ResultsFolder, which: str, style: VideoStyle = DEFAULT_STYLE, *, replace: bool = False
) -> list[VideoJob]:
    """The videos that `make_videos` makes; see there for arguments and errors."""
    check_name("choice of videos", which, VIDEO_CHOICES)
    specs = {task: style.spec(spec) for task, spec in results.info.env_specs.items()}
    jobs = [
        VideoJob(
            spec=specs[row.task],
            seed=row.seed,
            outcome=row.outcome,
            states=results.states_path(row.task, row.seed),
            video=results.video_path(row),
            codes=row.codes,
            event_step=event_step(row.perturbed),
        )
        for row in results.rows
        if row.task in specs and row.has_states and (which == "all" or (which == "failures" and not row.success))
    ]
    return [job for job in jobs if replace or not job.video.exists()]


def render_videos(jobs: Sequence[VideoJob], workers: int | None = None, *, quiet: bool = True) -> RenderedVideos:
    """Render videos in worker processes, with a progress bar; see `make_videos`."""
    if not jobs:
        return RenderedVideos()
    pool = Pool[VideoJob, Path | MissingVideo](VideoWorker, worker_count(workers, len(jobs)))
    with pool, Progress("videos", len(jobs), quiet=quiet, unit="video") as progress:
        videos, missing = list[Path](), list[MissingVideo]()
        for job, result in pool.results(jobs):
            if isinstance(result, WorkerError):
                raise result.raised(f"The video of seed {job.seed} of {job.spec.task} could not be made.", job.video)
            if isinstance(result, MissingVideo):
                missing.append(result)
            else:
                videos.append(result)
            progress.update(len(videos) + len(missing))
    return RenderedVideos(videos=tuple(videos), missing=tuple(sorted(missing)))
