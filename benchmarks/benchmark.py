"""Runs benchmarks: what `run-benchmark` does, from Python."""

import shlex
from dataclasses import replace

from ambidex.benchmarks.films import Films
from ambidex.benchmarks.report import Report, report_on
from ambidex.benchmarks.results_folder import check_results_folder, clean
from ambidex.benchmarks.rollout_videos import make_videos
from ambidex.benchmarks.running.benchmark_config import BenchmarkConfig
from ambidex.benchmarks.running.benchmark_past import check_flags
from ambidex.benchmarks.running.benchmark_plan import COMMAND, BenchmarkPlan, make_plan
from ambidex.benchmarks.running.benchmark_run import BenchmarkRun
from ambidex.benchmarks.running.benchmark_summary import BenchmarkSummary
from ambidex.benchmarks.running.policy_host import LoadPolicy
from ambidex.command_line import say
from ambidex.directory_lock import claimed
from ambidex.recorders.recording.worker import AgentFactory


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
    check_results_folder(plan.directory, resume=config.resume)
    try:
        with claimed(plan.directory):
            return _run(plan, load, agent_factory)
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(str(interrupt) or f"Go on with: {plan.resume_command}") from None


def _run(plan: BenchmarkPlan, load: LoadPolicy | None, agent_factory: AgentFactory | None) -> BenchmarkSummary:
    clean(plan.directory)
    check_results_folder(plan.directory, resume=plan.config.resume)
    check_flags(plan)
    if plan.checkpoint_words and not plan.config.quiet:
        say(COMMAND, plan.checkpoint_words)
    try:
        summary = BenchmarkRun(plan, load, agent_factory).run()
        films = _film(plan)
        return replace(summary, report=_report(plan, summary, films), unfilmed=films.unfilmed)
    finally:
        clean(plan.directory)


def _report(plan: BenchmarkPlan, summary: BenchmarkSummary, films: Films) -> Report:
    report = report_on(plan.directory, asked=plan.config.video, tried=films.unfilmed)
    if plan.config.video == "failures" and all(row.success for row in summary.rows):
        watch = shlex.join(["watch-rollouts", str(plan.directory)])
        return replace(report, note=f"No failures, so no videos. Any episode can be seen with: {watch}")
    return report


def _film(plan: BenchmarkPlan) -> Films:
    config = plan.config
    try:
        return make_videos(plan.directory, config.video, workers=config.workers, quiet=config.quiet)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"All episodes are kept in {plan.directory}; videos are missing. Go on with: {plan.resume_command}"
        ) from None
