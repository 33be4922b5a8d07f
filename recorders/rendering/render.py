"""Renders and converts datasets: what `render-episodes` and `convert-dataset` do, from Python."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ambidex.atomic_files import write_text
from ambidex.flags import changed_flags, flags_to_json, format_command
from ambidex.output_folder import check_output_folder, exclusive_lock, versions
from ambidex.progress import Progress
from ambidex.recorders.dataset.attempts import ATTEMPTS, read_attempts
from ambidex.recorders.dataset.environment import save_definition
from ambidex.recorders.dataset.files import check_stored_episodes, dataset_size, remove_partial_files
from ambidex.recorders.dataset.info import DATASET_JSON, DatasetInfo
from ambidex.recorders.formats.registry import format_named
from ambidex.recorders.recording.config import RUN_ONLY
from ambidex.recorders.recording.resume import refuse_differences
from ambidex.recorders.rendering.config import ConvertConfig, RenderConfig
from ambidex.recorders.rendering.plan import RenderPlan, plan_rendering
from ambidex.recorders.rendering.worker import CopyWorker, RenderJob, RenderWorker
from ambidex.text import pluralize
from ambidex.worker_pool.pool import Pool, worker_count
from ambidex.worker_pool.worker import WorkerError


@dataclass(frozen=True, kw_only=True)
class RenderSummary:
    """The result of rendering or converting a dataset.

    Attributes:
        directory: The new dataset's folder.
        episodes: Episodes in it.
        written: Episodes that this run wrote.
        verb: "rendered" or "converted".
        wall_s: Duration of this run [s].
        size: Size of all files [B].
    """

    directory: Path
    episodes: int
    written: int
    verb: str
    wall_s: float
    size: int

    def __str__(self) -> str:
        """One line."""
        pace = f"{self.wall_s / self.written:.2f} s per episode" if self.written else "already complete"
        return (
            f"{pluralize(self.episodes, 'episode')} {self.verb}, {pace}, {self.size / 1e6:.1f} MB in {self.directory}"
        )


def render(config: RenderConfig) -> RenderSummary:
    """Render the stored states of a dataset into a new one.

    Raises:
        UsageError: A name is unknown, a value out of range, or the output folder not empty.
        RenderingError: Images are asked for, and there is no OpenGL.
        DatasetError: A file is damaged or could not be written. What was rendered stays.
    """
    return _run(config, "rendered")


def convert(config: ConvertConfig) -> RenderSummary:
    """Convert a dataset into another format.

    Raises:
        UsageError: A name is unknown, the format cannot hold the dataset, or the output folder is not empty.
        DatasetError: A file is damaged or could not be written. What was converted stays.
    """
    return _run(config, "converted")


def _run(config: RenderConfig | ConvertConfig, verb: str) -> RenderSummary:
    started = time.perf_counter()
    plan = plan_rendering(config)
    with exclusive_lock(plan.target):
        check_output_folder(plan.target, DATASET_JSON, resume=config.resume)
        remove_partial_files(plan.target)
        _check_resumable(plan)
        left = [job for job in plan.jobs if plan.files.are_missing(job.attempt)]
        try:
            _write_all(plan, left, verb)
        finally:
            remove_partial_files(plan.target)
    return RenderSummary(
        directory=plan.target,
        episodes=len(plan.jobs),
        written=len(left),
        verb=verb,
        wall_s=time.perf_counter() - started,
        size=dataset_size(plan.target),
    )


def _check_resumable(plan: RenderPlan) -> None:
    if not (plan.target / DATASET_JSON).exists():
        return
    old = DatasetInfo.read(plan.target).settings(plan.flags.command, type(plan.flags))
    found = changed_flags(old, plan.flags, ignore=RUN_ONLY | {"path"})  # the source may have been moved
    rendered = read_attempts(plan.target)
    if rendered != list(plan.attempts[: len(rendered)]):
        found.append(f"{plan.source.directory} has other attempts than the dataset that was rendered, {old.path}")
    refuse_differences(plan.target, found)
    check_stored_episodes(plan.target, format_named(plan.config.write_options.format))


def _write_all(plan: RenderPlan, left: Sequence[RenderJob], verb: str) -> None:
    config, done, options = plan.config, len(plan.jobs) - len(left), plan.config.write_options
    where, copies = plan.source.directory, isinstance(plan.flags, ConvertConfig)
    factory: Callable[[], Callable[[RenderJob], None]] = partial(CopyWorker, plan.spec, options)
    if plan.simulated:
        factory = partial(
            RenderWorker, plan.spec, options, where, renders=config.renders, axes=config.perturb, copies=copies
        )
    progress = Progress(verb, len(plan.jobs), initial=done, quiet=config.quiet)
    started = time.perf_counter()
    with progress, Pool[RenderJob, None](factory, worker_count(config.workers, len(plan.jobs))) as pool:
        pool.wait_until_ready()
        if plan.warning:
            progress.note(plan.warning)
        _write_info(plan, complete=False, wall_s=0.0)
        save_definition(plan.target, plan.definition)
        for job, result in pool.results(left):
            if isinstance(result, WorkerError):
                raise result.raised(f"{job.files.episode.name} was not {verb}.", job.files.episode)
            done += 1
            progress.update(done)
        format_named(options.format).finish(plan.target, plan.spec.task)
        _write_info(plan, complete=plan.source.info.complete, wall_s=time.perf_counter() - started)


def _write_info(plan: RenderPlan, *, complete: bool, wall_s: float) -> None:
    """Write dataset.json and attempts.jsonl: those of the source, except for what the command changes."""
    old, looks = plan.source.info, plan.config.looks
    info = replace(
        old,
        attempts=looks * old.attempts,
        successes=looks * old.successes,
        failures=looks * old.failures,
        errors=looks * old.errors,
        episodes=looks * old.episodes,
        removed=tuple(looks * number + look for number in old.removed for look in range(looks)),
        env_spec=plan.spec,
        command=format_command(plan.flags.command, plan.flags, leave_out=RUN_ONLY),
        source_command=old.source_command or old.command,
        versions=versions(),
        format=str(plan.config.format),
        storage=str(plan.config.storage),
        complete=complete,
        timings={"wall_s": round(wall_s, 3)},
        config=flags_to_json(plan.flags, leave_out=RUN_ONLY),
    )
    info.write(plan.target)
    write_text(plan.target / ATTEMPTS, "".join(f"{attempt.to_line()}\n" for attempt in plan.attempts))
