"""Videos of benchmarked episodes, made from their stored states: in any camera, size and quality, at any time."""

from collections.abc import Sequence
from pathlib import Path

from ambidex.benchmarks.results.folder import read_rows, states_path, video_path
from ambidex.benchmarks.results.info import BenchmarkInfo
from ambidex.benchmarks.results.row import EpisodeRow
from ambidex.benchmarks.videos.jobs import MissingVideo, RenderedVideos, VideoJob, VideoStyle
from ambidex.benchmarks.videos.worker import VideoWorker
from ambidex.envs.types import EnvSpec
from ambidex.errors import DatasetError, UnknownNameError
from ambidex.progress import Progress
from ambidex.worker_pool import Pool, WorkerError, worker_count

VIDEO_CHOICES = ("failures", "all", "none")


def make_videos(
    results_dir: Path,
    which: str = "failures",
    cameras: Sequence[str] = (),
    image_size: tuple[int, int] = VideoStyle.image_size,
    quality: str = VideoStyle.quality,
    workers: int | None = None,
    *,
    replace: bool = False,
    quiet: bool = True,
) -> RenderedVideos:
    """Make the videos of a results folder that are not there yet.

    Args:
        results_dir: The results folder.
        which: "failures" (errors too), "all" or "none".
        cameras: What they show, side by side; empty for the first camera of the task's family.
        image_size: Height and width of each camera [px].
        quality: "standard" or "studio".
        workers: Worker processes; None for one per usable CPU, 0 to work in this process.
        replace: Make those again that are there.
        quiet: Show no progress.

    Returns:
        The videos that were made, and the episodes whose states are missing or damaged.

    Raises:
        UnknownNameError: No such choice, camera or quality.
        DatasetError: Results are missing or damaged, or the disk refuses.
        RenderingError: There is no OpenGL.
    """
    if which not in VIDEO_CHOICES:
        raise UnknownNameError("choice of videos", which, VIDEO_CHOICES)
    info = BenchmarkInfo.read(results_dir)
    rows = [row for row in read_rows(results_dir) if which == "all" or (which == "failures" and not row.success)]
    look = VideoStyle(cameras=tuple(cameras), image_size=image_size, quality=quality)
    specs = {task: look.spec(spec) for task, spec in info.env_specs.items()}
    wanted = [row for row in rows if row.began and (replace or not video_path(results_dir, row).exists())]
    return render_videos([_job(results_dir, row, specs[row.task]) for row in wanted], workers, quiet=quiet)


def render_videos(jobs: Sequence[VideoJob], workers: int | None = None, *, quiet: bool = True) -> RenderedVideos:
    """Make videos over worker processes, and show how far it is.

    Raises:
        DatasetError: The disk refuses.
        RenderingError: There is no OpenGL.
    """
    if not jobs:
        return RenderedVideos()
    pool = Pool[VideoJob, Path | MissingVideo](VideoWorker, worker_count(workers, len(jobs)))
    with pool, Progress("videos", len(jobs), quiet=quiet, unit="video") as progress:
        for job in jobs:
            pool.submit(job)
        results: list[Path | MissingVideo] = []
        while pool.pending:
            results.append(_checked(*pool.next_result()))
            progress.update(len(results))
    return RenderedVideos.of(results)


def _job(results_dir: Path, row: EpisodeRow, spec: EnvSpec) -> VideoJob:
    return VideoJob(
        spec=spec,
        seed=row.seed,
        outcome=row.outcome,
        states=states_path(results_dir, row.task, row.seed),
        video=video_path(results_dir, row),
        codes=row.codes,
    )


def _checked(job: VideoJob, result: Path | MissingVideo | WorkerError) -> Path | MissingVideo:
    if isinstance(result, WorkerError):
        error = DatasetError(f"The video of seed {job.seed} of {job.spec.task} was not made. {result.message}")
        error.add_note(result.traceback)
        raise error
    return result
