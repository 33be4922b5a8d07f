"""Videos of benchmarked episodes, made from their stored states: in any camera, size and quality, at any time."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ambidex.benchmarks.benchmark_info import BenchmarkInfo
from ambidex.benchmarks.episode_row import EpisodeRow
from ambidex.benchmarks.results_folder import read_rows, video_path
from ambidex.benchmarks.video_worker import Look, VideoWorker
from ambidex.envs.errors import DatasetError, UnknownNameError
from ambidex.envs.pool import Pool, worker_count
from ambidex.envs.pool_worker import WorkerError
from ambidex.progress import Progress

CHOICES = ("failures", "all", "none")
IMAGE_SIZE = (240, 320)  # of videos, unless asked otherwise [px]


def make_videos(
    results_dir: Path,
    which: str = "failures",
    cameras: Sequence[str] = (),
    image_size: tuple[int, int] = IMAGE_SIZE,
    quality: str = "standard",
    workers: int | None = None,
    *,
    replace: bool = False,
    quiet: bool = True,
) -> list[Path]:
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
        The videos that were made.

    Raises:
        UnknownNameError: No such choice, camera or quality.
        DatasetError: Results or states are missing or damaged, or the disk refuses.
        RenderingError: There is no OpenGL.
    """
    if which not in CHOICES:
        raise UnknownNameError("choice of videos", which, CHOICES)
    info = BenchmarkInfo.read(results_dir)
    rows = [row for row in read_rows(results_dir) if which == "all" or (which == "failures" and not row.success)]
    wanted = [row for row in rows if replace or not video_path(results_dir, row).exists()]
    if not wanted:
        return []
    look = Look(cameras=tuple(cameras), image_size=image_size, quality=quality)
    pool = Pool[EpisodeRow, Path](
        partial(VideoWorker, results_dir, info.env_specs, look), worker_count(workers, len(wanted))
    )
    with pool, Progress("videos", len(wanted), quiet=quiet, unit="video") as progress:
        for row in wanted:
            pool.submit(row)
        made: list[Path] = []
        while pool.pending:
            made.append(_checked(*pool.next_result()))
            progress.update(len(made))
    return made


def _checked(row: EpisodeRow, result: Path | WorkerError) -> Path:
    if isinstance(result, WorkerError):
        error = DatasetError(f"The video of seed {row.seed} of {row.task} was not made. {result.message}")
        error.add_note(result.traceback)
        raise error
    return result
