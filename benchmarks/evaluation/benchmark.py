"""Runs benchmarks: what `run-benchmark` does, from Python."""

import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

from ambidex.atomic_files import append_line
from ambidex.benchmarks.evaluation.agents import BASELINES, AgentSource, LocalAgents
from ambidex.benchmarks.evaluation.config import RUN_ONLY, BenchmarkConfig
from ambidex.benchmarks.evaluation.plan import COMMAND, BenchmarkPlan, make_plan
from ambidex.benchmarks.evaluation.policy_loading import LoadedPolicy, LoadPolicy, PolicyHost, host_locally
from ambidex.benchmarks.evaluation.resume import check_flags, check_same
from ambidex.benchmarks.evaluation.summary import BenchmarkSummary, Timings
from ambidex.benchmarks.evaluation.worker import BenchmarkWorker, EpisodeJob
from ambidex.benchmarks.gallery.report import Report, report_on
from ambidex.benchmarks.results.folder import RESULTS, clean, read_rows
from ambidex.benchmarks.results.info import BENCHMARK_JSON, BenchmarkInfo, describe_hardware
from ambidex.benchmarks.results.row import EpisodeRow
from ambidex.benchmarks.videos.jobs import RenderedVideos
from ambidex.benchmarks.videos.make import make_videos
from ambidex.command_line import print_message
from ambidex.flags import flags_to_json, format_command
from ambidex.output_folder import check_output_folder, exclusive_lock, versions
from ambidex.policies.serving.server import PolicyServer
from ambidex.progress import Progress
from ambidex.recorders.dataset.environment import keep_definition
from ambidex.recorders.recording.worker import AgentFactory
from ambidex.worker_pool import Pool, WorkerError, worker_count


def benchmark(
    config: BenchmarkConfig, *, load: LoadPolicy | None = None, agent_factory: AgentFactory | None = None
) -> BenchmarkSummary:
    """Run the episodes of a task or a suite that are not there yet.

    Args:
        config: What to run.
        load: Loads checkpoints; None for `ambidex.policies.checkpoint.load`.
        agent_factory: Makes the agent of a baseline from its environment; picklable. None for that of its name.

    Raises:
        UsageError: Something that is asked for does not exist or cannot be.
        RenderingError: The policy needs images, and there is no OpenGL.
        DatasetError: A file could not be written. What was run stays.
    """
    plan = make_plan(config)
    check_output_folder(plan.directory, BENCHMARK_JSON, resume=config.resume)
    try:
        with exclusive_lock(plan.directory):
            return _run(plan, load, agent_factory)
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(str(interrupt) or f"Go on with: {plan.resume_command}") from None


def _run(plan: BenchmarkPlan, load: LoadPolicy | None, agent_factory: AgentFactory | None) -> BenchmarkSummary:
    clean(plan.directory)
    check_output_folder(plan.directory, BENCHMARK_JSON, resume=plan.config.resume)
    check_flags(plan)
    if plan.checkpoint_words and not plan.config.quiet:
        print_message(COMMAND, plan.checkpoint_words)
    try:
        summary = BenchmarkRun(plan, load, agent_factory).run()
        films = _film(plan)
        return replace(summary, report=_report(plan, summary, films), missing_videos=films.missing)
    finally:
        clean(plan.directory)


def _report(plan: BenchmarkPlan, summary: BenchmarkSummary, films: RenderedVideos) -> Report:
    report = report_on(plan.directory, asked=plan.config.video, tried=films.missing)
    if plan.config.video == "failures" and all(row.success for row in summary.rows):
        watch = shlex.join(["watch-rollouts", str(plan.directory)])
        return replace(report, note=f"No failures, so no videos. Any episode can be seen with: {watch}")
    return report


def _film(plan: BenchmarkPlan) -> RenderedVideos:
    config = plan.config
    try:
        return make_videos(plan.directory, config.video, workers=config.workers, quiet=config.quiet)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"All episodes are kept in {plan.directory}; videos are missing. Go on with: {plan.resume_command}"
        ) from None


# FOLDED benchmarks.running.benchmark_run: One run of a benchmark into one folder: the parent's side of the workers.

EpisodePool = Pool[EpisodeJob, EpisodeRow]


class BenchmarkRun:
    """Runs the episodes that are not there yet, and writes their rows as they come.

    Args:
        plan: What to run; its folder exists and is ours.
        load: Loads checkpoints; None for the project's own.
        agent_factory: Makes the agents of a baseline; None for that of its name.
    """

    def __init__(self, plan: BenchmarkPlan, load: LoadPolicy | None, agent_factory: AgentFactory | None) -> None:
        self._plan, self._config, self._directory = plan, plan.config, plan.directory
        self._load, self._agent_factory = load, agent_factory
        self._rows = {(row.task, row.seed): row for row in read_rows(plan.directory)}
        self._todo = [job for job in plan.jobs() if (job.task, job.seed) not in self._rows]
        self._workers = min(worker_count(self._config.workers, len(self._todo)), len(self._todo))
        self._before, self._started = len(self._rows), time.perf_counter()
        self._broken: list[tuple[EpisodeJob, WorkerError]] = []

    def run(self) -> BenchmarkSummary:
        """Run what is left.

        Raises:
            UsageError: The folder holds other results, or the policy does not fit.
            WorkerStartError: No worker could start.
            DatasetError: A file could not be written.
        """
        try:
            if self._todo:
                self._run_left()
        except KeyboardInterrupt:
            raise KeyboardInterrupt(self._interrupted()) from None
        summary = self._summary()
        summary.write()
        return summary

    def _run_left(self) -> None:
        with self._pool() as (pool, hosted):
            self._begin(pool, hosted)
            try:
                self._loop(pool, hosted.warning)
            finally:
                self._summary().write()

    @contextmanager
    def _pool(self) -> Iterator[tuple[EpisodePool, LoadedPolicy]]:
        """Workers that start, and who acts in them."""
        if not self._plan.learned:
            make_agent = self._agent_factory or BASELINES[self._config.policy]
            with self._workers_of(LocalAgents(make_agent=make_agent, terms=self._plan.task_settings)) as pool:
                yield pool, host_locally(self._plan.tasks, self._plan.task_settings)
            return
        with PolicyServer() as server:
            host = PolicyHost(self._config, self._plan.task_settings, server, self._load)
            with self._workers_of(host.agents) as pool:  # they start while the policy is loaded
                checkpoint = cast("Path", self._config.checkpoint)
                runners = min(max(1, self._workers), worker_count(None, self._workers))
                yield pool, host.start(checkpoint, self._plan.tasks, runners=runners)
            if self._config.debug and server.first_failure:
                sys.stderr.write(f"The first request that the policy failed on:\n{server.first_failure}")

    def _workers_of(self, agents: AgentSource) -> EpisodePool:
        worker = partial(BenchmarkWorker, agents, self._directory, self._todo[0].task, self._config.policy)
        return EpisodePool(worker, self._workers)

    def _begin(self, pool: EpisodePool, hosted: LoadedPolicy) -> None:
        info = BenchmarkInfo(
            policy=self._config.policy,
            execution=hosted.execution,
            protocol=self._plan.protocol,
            command=format_command(COMMAND, self._config, leave_out=RUN_ONLY),
            checkpoint=hosted.checkpoint,
            serving=hosted.serving,
            env_specs=hosted.env_specs,
            versions=versions() | dict(hosted.versions),
            machine=describe_hardware(),
            warning=hosted.warning,
            config=flags_to_json(self._config, leave_out=RUN_ONLY),
        )
        check_same(self._plan, info)
        pool.wait_until_ready()
        info.write(self._directory)
        keep_definition(self._directory, self._plan.definition)

    def _loop(self, pool: EpisodePool, warning: str) -> None:
        total = len(self._plan.jobs())
        with Progress(self._config.policy, total, initial=len(self._rows), quiet=self._config.quiet) as progress:
            if warning:
                progress.note(warning)
            for job in self._todo:
                pool.submit(job)
            while pool.pending:
                self._take(*pool.next_result())
                successes = sum(row.success for row in self._rows.values())
                progress.update(len(self._rows), successes, len(self._rows))

    def _take(self, job: EpisodeJob, result: EpisodeRow | WorkerError) -> None:
        if isinstance(result, WorkerError):
            # An agent's errors are rows; this is the machine's, and would not be there next time. No row.
            self._broken.append((job, result))
            if self._config.debug:
                sys.stderr.write(result.traceback)
            return
        append_line(self._directory / RESULTS, result.to_line())
        self._rows[job.task, job.seed] = result

    def _interrupted(self) -> str:
        kept = f"{len(read_rows(self._directory))} of {len(self._plan.jobs())} episodes are kept in {self._directory}."
        return f"{kept} Go on with: {self._plan.resume_command}"

    def _summary(self) -> BenchmarkSummary:
        rows = read_rows(self._directory)  # an interrupt may have come between the file and our memory
        done = len(rows) - self._before
        timings = Timings(episodes=done, wall_s=time.perf_counter() - self._started, workers=self._workers)
        return BenchmarkSummary(
            directory=self._directory,
            info=BenchmarkInfo.read(self._directory),
            rows=rows,
            wanted=len(self._plan.jobs()),
            suite=self._config.suite,
            timings=timings if done else Timings.read(self._directory) or timings,
            broken=tuple(f"{job.task}, seed {job.seed}: {error.message}" for job, error in self._broken),
        )
