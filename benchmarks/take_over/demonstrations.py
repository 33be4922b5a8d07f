"""Writes successful take-overs into datasets: demonstrations that start in states into which another policy got.

A dataset follows from the take-overs alone: their stored actions are repeated, so that it can be written later as well,
and has the same files after an interruption.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from ambidex.atomic_files import write_text
from ambidex.benchmarks.evaluation.config import NOT_STORED
from ambidex.benchmarks.results.info import COMMAND
from ambidex.benchmarks.results.states import EpisodeStates
from ambidex.benchmarks.take_over.demonstration_plan import (
    DemonstrationJob,
    DemonstrationPlan,
    demonstration_folders,
    plan_demonstrations,
)
from ambidex.benchmarks.take_over.plan import TakeOverPlan
from ambidex.benchmarks.verification.worker import StoredActions
from ambidex.envs.perturbations.registry import event_before
from ambidex.envs.rollout import rollout
from ambidex.envs.types import EnvSpec, Outcome
from ambidex.errors import DatasetError
from ambidex.flags import flags_to_json, format_command
from ambidex.output_folder import check_output_folder, exclusive_lock, versions
from ambidex.progress import Progress
from ambidex.recorders.dataset.attempts import ATTEMPTS, read_attempts
from ambidex.recorders.dataset.environment import save_definition, stored_environment
from ambidex.recorders.dataset.files import (
    DatasetFiles,
    check_stored_episodes,
    dataset_size,
    remove_partial_files,
    removed_episodes,
)
from ambidex.recorders.dataset.info import DATASET_JSON, DatasetInfo
from ambidex.recorders.dataset.layout import WriteOptions
from ambidex.recorders.formats.registry import format_named
from ambidex.recorders.recording.resume import refuse_differences
from ambidex.recorders.recording.worker import EpisodeWriter, recorded_episode
from ambidex.recorders.rendering.render import RenderSummary
from ambidex.worker_pool.pool import Pool, worker_count
from ambidex.worker_pool.worker import WorkerError

RECORDED = "recorded"


def record_demonstrations(plan: TakeOverPlan) -> tuple[RenderSummary, ...]:
    """Write the datasets of take-overs that are complete; none of a task without a successful one.

    Raises:
        UsageError: A dataset to resume is of other take-overs, or has other images.
        DatasetError: A file is damaged or cannot be written. What was written stays.
    """
    plans = (plan_demonstrations(plan, task, directory) for task, directory in demonstration_folders(plan).items())
    return tuple(_record(each) for each in plans if each.jobs)


class DemonstrationWorker:
    """Repeats the actions of take-overs, and renders and writes their episodes.

    Args:
        spec: The spec of the dataset.
        options: How episode files are written.
        folder: The folder of take-overs, where a copy of a user's definition is.

    Raises:
        RenderingError: The dataset has cameras, and no OpenGL context can be created.
    """

    def __init__(self, spec: EnvSpec, options: WriteOptions, folder: Path) -> None:
        self._env = stored_environment(spec, folder)
        self._writer = EpisodeWriter(self._env, options, renders=bool(spec.cameras))

    def __call__(self, job: DemonstrationJob) -> None:
        """Write the episode of a take-over.

        Raises:
            DatasetError: The stored actions give other states than those that are stored, or a file is damaged or
                cannot be written.
        """
        stored = EpisodeStates.read(job.states)
        result = rollout(
            self._env,
            StoredActions(stored.actions),
            job.row.seed,
            stop_at_success=True,
            initial_state=stored.states[0],
            event_step=event_before(job.row.perturbed),
        )
        if not np.array_equal(result.states, stored.states):
            problem = f"{job.states}: its actions now give other states. This machine computes differently."
            raise DatasetError(problem, "Record the dataset where the take-overs were run.", path=job.states)
        episode = replace(recorded_episode(self._env, result), taken_over=job.taken_over)
        self._writer.write(episode, job.files)


def _record(plan: DemonstrationPlan) -> RenderSummary:
    started, directory = time.perf_counter(), plan.directory
    with exclusive_lock(directory):
        check_output_folder(directory, DATASET_JSON, resume=plan.take_overs.config.resume)
        remove_partial_files(directory)
        _check_resumable(plan)
        left = _missing(plan)
        try:
            _write_all(plan, left)
        finally:
            remove_partial_files(directory)
    return RenderSummary(
        directory=directory,
        episodes=len(plan.jobs),
        written=len(left),
        verb=RECORDED,
        wall_s=time.perf_counter() - started,
        size=dataset_size(directory),
    )


def _check_resumable(plan: DemonstrationPlan) -> None:
    if not (plan.directory / DATASET_JSON).exists():
        return
    found = DatasetInfo.read(plan.directory).env_spec.differences(plan.spec)
    stored = read_attempts(plan.directory)
    if stored != list(plan.attempts[: len(stored)]):
        found.append(f"{plan.directory / ATTEMPTS} has other take-overs")
    refuse_differences(plan.directory, found)
    check_stored_episodes(plan.directory, format_named(plan.options.format))


def _missing(plan: DemonstrationPlan) -> list[DemonstrationJob]:
    files = DatasetFiles(plan.directory, format_named(plan.options.format), failures=False)
    successes = [attempt for attempt in plan.attempts if attempt.episode is not None]
    return [job for attempt, job in zip(successes, plan.jobs, strict=True) if files.are_missing(attempt)]


def _write_all(plan: DemonstrationPlan, left: Sequence[DemonstrationJob]) -> None:
    config, done, started = plan.take_overs.config, len(plan.jobs) - len(left), time.perf_counter()
    factory = partial(DemonstrationWorker, plan.spec, plan.options, plan.take_overs.directory)
    progress = Progress(RECORDED, len(plan.jobs), initial=done, quiet=config.quiet)
    with progress, Pool[DemonstrationJob, None](factory, worker_count(config.workers, len(left))) as pool:
        pool.wait_until_ready()
        _write_info(plan, complete=False, timings={})
        save_definition(plan.directory, plan.take_overs.benchmark.definition)
        for job, result in pool.results(left):
            if isinstance(result, WorkerError):
                raise result.raised(f"{job.files.episode.name} was not recorded.", job.files.episode)
            done += 1
            progress.update(done)
    format_named(plan.options.format).finish(plan.directory, plan.spec.task)
    _write_info(plan, complete=True, timings={"wall_s": round(time.perf_counter() - started, 3)})


def _write_info(plan: DemonstrationPlan, *, complete: bool, timings: Mapping[str, float]) -> None:
    config, outcomes = plan.take_overs.config, [attempt.outcome for attempt in plan.attempts]
    DatasetInfo(
        env_spec=plan.spec,
        command=format_command(COMMAND, config, leave_out=NOT_STORED),
        versions=versions(),
        format=plan.options.format,
        storage=plan.options.storage,
        attempts=len(outcomes),
        successes=outcomes.count(Outcome.SUCCESS),
        failures=outcomes.count(Outcome.FAILURE),
        errors=outcomes.count(Outcome.ERROR),
        episodes=len(plan.jobs),
        complete=complete,
        timings=timings,
        config=flags_to_json(config, leave_out=NOT_STORED),
        removed=removed_episodes(plan.directory),
    ).write(plan.directory)
    write_text(plan.directory / ATTEMPTS, "".join(f"{attempt.to_line()}\n" for attempt in plan.attempts))
