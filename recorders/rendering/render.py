"""Renders datasets again: what `render-episodes` does, from Python."""

import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ambidex.atomic_files import replacing
from ambidex.errors import DatasetError, UsageError
from ambidex.flags import changed_flags, flags_to_json, format_command
from ambidex.output_folder import check_output_folder, exclusive_lock, versions
from ambidex.progress import Progress
from ambidex.recorders.dataset.dataset import ATTEMPTS
from ambidex.recorders.dataset.environment import keep_definition
from ambidex.recorders.dataset.files import DatasetFiles, check_kept
from ambidex.recorders.dataset.info import DATASET_JSON, DatasetInfo
from ambidex.recorders.dataset.output_folder import clean, dataset_size
from ambidex.recorders.formats.registry import format_named
from ambidex.recorders.rendering.config import RUN_ONLY, RenderConfig
from ambidex.recorders.rendering.plan import RenderPlan, plan_rendering
from ambidex.recorders.rendering.worker import RenderJob, RenderWorker
from ambidex.text import pluralize
from ambidex.worker_pool import Pool, WorkerError, worker_count

COMMAND = "render-episodes"


@dataclass(frozen=True, kw_only=True)
class RenderSummary:
    """What came out of rendering a dataset.

    Attributes:
        directory: The new dataset's folder.
        episodes: Episodes in it.
        rendered: Episodes that this run rendered.
        wall_s: How long this run took [s].
        size: Size of all files [B].
    """

    directory: Path
    episodes: int
    rendered: int
    wall_s: float
    size: int

    def in_words(self) -> str:
        """One line."""
        pace = f"{self.wall_s / self.rendered:.2f} s per episode" if self.rendered else "nothing was left to do"
        return f"{pluralize(self.episodes, 'episode')} rendered, {pace}, {self.size / 1e6:.1f} MB in {self.directory}"


def render(config: RenderConfig) -> RenderSummary:
    """Render the stored states of a dataset into a new one.

    Raises:
        UsageError: Something that is asked for does not exist or cannot be.
        RenderingError: Pixels are asked for, and there is no OpenGL.
        DatasetError: A file is damaged or could not be written. What was rendered stays.
    """
    started = time.perf_counter()
    plan = plan_rendering(config)
    check_output_folder(plan.target, DATASET_JSON, resume=config.resume)
    with exclusive_lock(plan.target):
        clean(plan.target)
        check_output_folder(plan.target, DATASET_JSON, resume=config.resume)
        _check_same(plan)
        check_kept(plan.target, format_named(plan.layout.format))
        files = DatasetFiles(plan.target, format_named(plan.layout.format))
        left = [job for job in plan.jobs if not files.has(job.attempt, job.destination)]
        try:
            _render_all(plan, left)
        finally:
            clean(plan.target)
    return RenderSummary(
        directory=plan.target,
        episodes=len(plan.jobs),
        rendered=len(left),
        wall_s=time.perf_counter() - started,
        size=dataset_size(plan.target),
    )


def _check_same(plan: RenderPlan) -> None:
    """Refuse to go on with something else."""
    if not (plan.target / DATASET_JSON).exists():
        return
    old = DatasetInfo.read(plan.target).settings(COMMAND, RenderConfig)
    found = changed_flags(old, plan.config, ignore=RUN_ONLY)
    if found:
        raise UsageError(
            f"--resume: {plan.target} was rendered differently: {'; '.join(found)}. Give the same flags as then, or "
            "another --output-dir."
        )


def _render_all(plan: RenderPlan, left: list[RenderJob]) -> None:
    """Have the workers render what is left."""
    config, done = plan.config, len(plan.jobs) - len(left)
    factory = partial(RenderWorker, plan.spec, plan.layout, plan.pixels, plan.source.directory)
    progress = Progress("rendered", len(plan.jobs), initial=done, quiet=config.quiet)
    started = time.perf_counter()
    with progress, Pool[RenderJob, int](factory, worker_count(config.workers, len(plan.jobs))) as pool:
        pool.wait_until_ready()
        if plan.note:
            progress.note(plan.note)
        _write_books(plan, complete=False, wall_s=0.0)
        keep_definition(plan.target, plan.definition)
        for job in left:
            pool.submit(job)
        while pool.pending:
            _check_rendered(*pool.next_result())
            done += 1
            progress.update(done)
        format_named(plan.layout.format).finish(plan.target, plan.spec.task)
        _write_books(plan, complete=plan.source.info.complete, wall_s=time.perf_counter() - started)


def _check_rendered(job: RenderJob, result: int | WorkerError) -> None:
    if isinstance(result, WorkerError):
        error = DatasetError(f"{job.destination.episode.name} was not rendered. {result.message}")
        error.add_note(result.traceback)
        raise error


def _write_books(plan: RenderPlan, *, complete: bool, wall_s: float) -> None:
    """dataset.json and attempts.jsonl: those of the source, but for what is new."""
    info = replace(
        plan.source.info,
        env_spec=plan.spec,
        command=format_command(COMMAND, plan.config, leave_out=RUN_ONLY),
        versions=versions(),
        format=plan.layout.format,
        storage=plan.layout.storage,
        complete=complete,
        timings={"wall_s": round(wall_s, 3)},
        config=flags_to_json(plan.config, leave_out=RUN_ONLY),
    )
    info.write(plan.target)
    with replacing(plan.target / ATTEMPTS) as temporary:
        temporary.write_bytes((plan.source.directory / ATTEMPTS).read_bytes())
