"""Runs benchmarks; `benchmark` is what `run-benchmark` does, from Python."""

import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from functools import partial
from typing import Any

from ambidex.benchmarks.evaluation.agents import BASELINES, TAKING_OVER, AgentSource, LocalAgents, ServedAgents
from ambidex.benchmarks.evaluation.config import NOT_STORED, BenchmarkConfig
from ambidex.benchmarks.evaluation.own_policy import OwnPolicy, is_address, load_own
from ambidex.benchmarks.evaluation.plan import BenchmarkPlan, make_plan
from ambidex.benchmarks.evaluation.policy_loading import LoadPolicy, serve_policy
from ambidex.benchmarks.evaluation.resume import check_flags, check_info
from ambidex.benchmarks.evaluation.summary import BenchmarkSummary, Timings
from ambidex.benchmarks.evaluation.worker import BenchmarkWorker
from ambidex.benchmarks.gallery.report import Report, write_report
from ambidex.benchmarks.results.folder import FIRST_REQUEST, ResultsFolder
from ambidex.benchmarks.results.info import BENCHMARK_JSON, COMMAND, BenchmarkInfo, describe_hardware
from ambidex.benchmarks.results.row import EpisodeKey, EpisodeRow
from ambidex.benchmarks.videos.jobs import RenderedVideos
from ambidex.benchmarks.videos.make import make_videos
from ambidex.cluster.address import own_host
from ambidex.cluster.pools import start_pool
from ambidex.command_line import print_message
from ambidex.envs.env import Environment
from ambidex.envs.types import Agent, EnvSpec, Observation
from ambidex.errors import AmbidexError, EpisodesFailedError, RemoteConnectionError, UsageError, check_name
from ambidex.flags import flags_to_json, format_command
from ambidex.output_folder import check_output_folder, exclusive_lock, versions
from ambidex.policies.serving.server import PolicyServer
from ambidex.progress import PartOfProgress, Progress
from ambidex.recorders.dataset.environment import save_definition
from ambidex.recorders.recording.attempt_log import MAX_FIRST_ERRORS
from ambidex.recorders.recording.worker import AgentFactory
from ambidex.text import first_line
from ambidex.worker_pool.job_pool import JobPool
from ambidex.worker_pool.pool import worker_count
from ambidex.worker_pool.worker import WorkerError

EpisodePool = JobPool[EpisodeKey, EpisodeRow, Any]


def benchmark(
    config: BenchmarkConfig | Agent | Callable[[Observation], Any] | Callable[[Environment], Agent],
    *,
    load: LoadPolicy | None = None,
    agent_factory: AgentFactory | None = None,
    name: str = "",
    **settings: Any,
) -> BenchmarkSummary:
    """Run the episodes of a task or a suite that are not in the results folder yet.

    Args:
        config: What to evaluate. Or a policy of your own: a function from an observation to an action of shape (A,); an
            object with `reset` and `act`; a class of such objects, whose constructor takes the environment or
            nothing; or a function that returns one, whose parameter is called env.
        load: Loads checkpoints; None for `ambidex.policies.checkpoint.load`.
        agent_factory: Makes an agent of your own from its environment; picklable, unless `workers` is 0.
            `config.policy` is then any name for it, `config.control` its control mode. None for the named policy or
            baseline.
        name: Name of your own policy in the results; empty for its module and name.
        settings: With a policy of your own, fields of `BenchmarkConfig`, such as `task` and `episodes`. `workers` is 0
            unless given, so that the policy may hold anything; worker processes and actors of a `cluster` need one
            that is picklable.

    Returns:
        The rows of all episodes and where they are stored; printed, it is the table of success rates.

    Raises:
        UsageError: A flag is missing, unknown or impossible, or the results to resume were made with other settings.
        RenderingError: The policy needs images or videos are requested, and there is no OpenGL.
        DatasetError: A file cannot be written. Episodes that were run are stored.
        RemotePolicyError: A policy on a server cannot answer the first observation.
        AmbidexError: A server cannot be reached, or has gone; likewise.
    """
    own = None if agent_factory is None else OwnPolicy(agent_factory, makes_agents=True)
    if not isinstance(config, BenchmarkConfig):
        own = OwnPolicy.of(config)
        config = _own_config(own, name, settings)
    elif name or settings:
        problem = f"{', '.join(filter(None, ('name' if name else '', *settings)))}: not beside a BenchmarkConfig."
        raise UsageError(problem, "Give it as a field of the config; the name is policy_name.")
    return run_plan(make_plan(config, own_agent=own is not None), load=load, own=own)


def run_plan(
    plan: BenchmarkPlan,
    *,
    load: LoadPolicy | None = None,
    own: OwnPolicy | None = None,
    progress: PartOfProgress | None = None,
) -> BenchmarkSummary:
    """Run the episodes of a checked plan.

    Args:
        plan: What to evaluate.
        load: As in `benchmark`, which also says what is raised.
        own: Code of the caller's own.
        progress: If it is a part of longer work, the progress of that; None prints its own.
    """
    if own is None and is_address(plan.config.policy):
        own = load_own(plan.config.policy)
    check_output_folder(plan.directory, BENCHMARK_JSON, resume=plan.config.resume)
    try:
        with exclusive_lock(plan.directory):
            return _run(plan, load, own, progress)
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(str(interrupt) or f"Resume with: {plan.resume_command}") from None


def _own_config(own: OwnPolicy, name: str, settings: Mapping[str, Any]) -> BenchmarkConfig:
    known = {field.name for field in fields(BenchmarkConfig)} - {"policy", "policy_name"}
    for setting in settings:
        check_name("setting", setting, known)
    in_this_process = {} if settings.get("cluster") else {"workers": 0}
    return BenchmarkConfig(policy=own.address, policy_name=name or None, **{**in_this_process, **settings})


def _run(
    plan: BenchmarkPlan, load: LoadPolicy | None, own: OwnPolicy | None, progress: PartOfProgress | None
) -> BenchmarkSummary:
    results = ResultsFolder(plan.directory)
    results.remove_leftovers()
    check_output_folder(plan.directory, BENCHMARK_JSON, resume=plan.config.resume)  # again, now that it is locked
    check_flags(plan, results)
    notes = (plan.checkpoint_note, plan.instruction_note, plan.perturbation_note)
    for note in filter(None, () if plan.config.quiet else notes):
        print_message(COMMAND, note)
    try:
        summary = BenchmarkRun(plan, results, load, own, progress).run()
        if errors := summary.describe_errors():
            print_message(COMMAND, errors)
        return _with_page(plan, results, summary)
    finally:
        results.remove_leftovers()


def _with_page(plan: BenchmarkPlan, results: ResultsFolder, summary: BenchmarkSummary) -> BenchmarkSummary:
    try:
        videos = _make_videos(plan, results)
        return replace(summary, report=_write_report(plan, results, videos), missing_videos=videos.missing)
    except AmbidexError as error:
        if not summary.worker_errors:
            raise
        problem = f"{summary.describe_worker_errors()} The page could not be made either: {error.problem}"
        raise AmbidexError(problem, error.hint, path=results.path) from error


def _make_videos(plan: BenchmarkPlan, results: ResultsFolder) -> RenderedVideos:
    config = plan.config
    try:
        workers = None if config.cluster else config.workers  # they are rendered here
        return make_videos(results, str(config.video), workers=workers, quiet=config.quiet)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"All episodes are stored in {results.path}, but not all videos. Resume with: {plan.resume_command}"
        ) from None


def _write_report(plan: BenchmarkPlan, results: ResultsFolder, videos: RenderedVideos) -> Report:
    report = write_report(results, which=str(plan.config.video), missing=videos.missing)
    if plan.config.video == "failures" and all(row.success for row in results.rows):
        watch = shlex.join(["watch-rollouts", str(results.path)])
        return replace(report, note=f"There are no failures, so no videos. To watch any episode: {watch}")
    return report


def _error_of(episode: EpisodeKey, result: EpisodeRow | WorkerError) -> str:
    """One line on an episode that ended with an error; empty for others."""
    message = result.message if isinstance(result, WorkerError) else result.error
    return f"{episode[0]}, seed {episode[1]}: {first_line(message)}" if message else ""


class BenchmarkRun:
    """Runs the episodes that a results folder lacks, and stores each row as soon as its worker returns it.

    The folder must be locked by this process; the other arguments are those of `benchmark`.
    """

    def __init__(
        self,
        plan: BenchmarkPlan,
        results: ResultsFolder,
        load: LoadPolicy | None,
        own: OwnPolicy | None,
        progress: PartOfProgress | None = None,
    ) -> None:
        self._plan, self._config, self._results = plan, plan.config, results
        self._load, self._own, self._progress = load, own, progress
        rows, episodes = results.rows, plan.episodes
        stored = {row.key for row in rows}
        self._remaining = [episode for episode in episodes if episode not in stored]
        self._requested, self._stored_before = len(episodes), len(stored)
        self._done, self._successes = len(rows), sum(row.success for row in rows)
        self._workers = 0
        self._name = self._config.policy_name or self._config.policy
        self._started = time.perf_counter()
        self._worker_errors: list[str] = []
        self._errors: list[str] = []  # of each episode of this run, empty for none
        self._save_first_images: Callable[[], None] = lambda: None

    def run(self) -> BenchmarkSummary:
        """Run the remaining episodes and write summary.json."""
        try:
            if self._remaining:
                self._run_remaining()
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"{len(self._results.rows)} of {self._requested} episodes are stored in {self._results.path}. "
                f"Resume with: {self._plan.resume_command}"
            ) from None
        return self._write_summary()

    def _run_remaining(self) -> None:
        with self._start() as (pool, info):
            check_info(self._results, info)
            pool.wait_until_ready()
            self._workers = pool.size
            self._results.write_info(info)
            self._save_first_images()
            save_definition(self._results.path, self._plan.definition)
            try:
                self._loop(pool, [pool.note, info.warning])
            except BaseException:
                with suppress(AmbidexError):  # its own error, such as a full disk, must not replace this one
                    self._write_summary()
                raise

    @contextmanager
    def _start(self) -> Iterator[tuple[EpisodePool, BenchmarkInfo]]:
        """Start the workers, and load the policy meanwhile."""
        plan, settings = self._plan, self._plan.task_settings
        if plan.layout is not None:
            from ambidex.benchmarks.remote.first_exchange import first_exchange  # needs the extra `remote`

            first = first_exchange(plan, self._remaining[0])
            with self._start_workers(first.agents) as pool:
                self._save_first_images = partial(first.request.save_images, self._results.path / FIRST_REQUEST)
                specs = {task: first.agents.environment(task).spec for task in plan.tasks}
                yield pool, first.complete(self._info(specs))
            return
        if not plan.learned:
            baselines = {**BASELINES, **TAKING_OVER} if plan.take_over else BASELINES
            make_agent = self._own or baselines[self._config.policy]
            local = LocalAgents(make_agent=make_agent, settings=settings, control=self._config.control)
            with self._start_workers(local) as pool:
                yield pool, self._info({task: local.environment(task).spec for task in plan.tasks})
            return
        cluster = self._config.cluster
        with PolicyServer(None if cluster is None else (own_host(cluster), 0)) as server:
            agents = ServedAgents(
                address=server.address, authkey=server.authkey, config=self._config, settings=settings
            )
            with self._start_workers(agents) as pool:
                threads = worker_count(None, max(1, pool.size))
                yield pool, serve_policy(plan, server, self._info({}), threads=threads, load=self._load)

    def _start_workers(self, agents: AgentSource) -> EpisodePool:
        (first, _), policy = self._remaining[0], self._name
        worker = partial(BenchmarkWorker, agents, first=first, policy=policy, take_over=self._plan.take_over)
        config, jobs = self._config, len(self._remaining)
        return start_pool(worker, self._results.path, jobs=jobs, workers=config.workers, cluster=config.cluster)

    def _info(self, env_specs: Mapping[str, EnvSpec]) -> BenchmarkInfo:
        """The content of benchmark.json for a baseline."""
        return BenchmarkInfo(
            policy=self._name,
            execution="",
            source=self._own.info if self._own else None,
            protocol=self._plan.protocol,
            warning=self._plan.seeds_warning,
            command=format_command(COMMAND, self._plan.as_given or self._config, leave_out=NOT_STORED),
            checkpoint=None,
            serving=None,
            take_over=self._plan.take_over,
            env_specs=env_specs,
            versions=versions(),
            machine=describe_hardware(),
            config=flags_to_json(self._config, leave_out=NOT_STORED),
        )

    def _loop(self, pool: EpisodePool, notes: Sequence[str]) -> None:
        bar = self._progress or Progress(self._name, self._requested, initial=self._done, quiet=self._config.quiet)
        with bar as progress:
            for note in filter(None, notes):
                progress.note(note)
            for episode, result in pool.results(self._remaining):
                self._store(episode, result)
                progress.update(self._done, self._successes, self._done)
                self._errors.append(_error_of(episode, result))
                self._check_errors()

    def _check_errors(self) -> None:
        if self._plan.take_over:  # an expert that cannot plan from these states: that is a result
            return
        if len(self._errors) == MAX_FIRST_ERRORS < len(self._remaining) and all(self._errors):
            problem = f"The first {MAX_FIRST_ERRORS} episodes all ended with an error. {self._errors[0]}"
            hint = "Correct the cause and run the benchmark into an empty folder."
            raise EpisodesFailedError(problem, hint, path=self._results.path, reason=self._errors[0])

    def _store(self, episode: EpisodeKey, result: EpisodeRow | WorkerError) -> None:
        if isinstance(result, WorkerError):
            # Errors of an agent are rows. This one is the machine's, so the episode has no row and can be run again.
            self._worker_errors.append(_error_of(episode, result))
            if self._config.debug:
                sys.stderr.write(result.traceback)
            if result.kind == RemoteConnectionError.__name__:  # the other episodes would have it too
                raise AmbidexError(result.message, f"Resume with: {self._plan.resume_command}")
            return
        if self._config.debug and result.error:
            sys.stderr.write(f"{result.error}\n")
        self._results.append(result)
        self._done, self._successes = self._done + 1, self._successes + result.success

    def _write_summary(self) -> BenchmarkSummary:
        rows = tuple(self._results.rows)
        done = len(rows) - self._stored_before
        timings = Timings(episodes=done, wall_s=time.perf_counter() - self._started, workers=self._workers)
        summary = BenchmarkSummary(
            directory=self._results.path,
            info=self._results.info,
            rows=rows,
            requested=self._requested,
            suite=self._config.suite,
            timings=timings if done else Timings.of_last_run(self._results) or timings,
            worker_errors=tuple(self._worker_errors),
            resume_command=self._plan.resume_command,
        )
        self._results.write_summary(summary.to_dict())
        return summary
