"""Runs benchmarks: what `run-benchmark` does, from Python."""

from ambidex.benchmarks.benchmark_config import BenchmarkConfig
from ambidex.benchmarks.benchmark_past import check_flags
from ambidex.benchmarks.benchmark_plan import make_plan
from ambidex.benchmarks.benchmark_run import BenchmarkRun
from ambidex.benchmarks.benchmark_summary import BenchmarkSummary
from ambidex.benchmarks.policy_host import LoadPolicy
from ambidex.benchmarks.results_folder import check_results_folder, clean
from ambidex.recorders.directory_lock import claimed
from ambidex.recorders.record_worker import AgentFactory


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
    with claimed(plan.directory):
        clean(plan.directory)
        check_results_folder(plan.directory, resume=config.resume)
        check_flags(plan)
        try:
            return BenchmarkRun(plan, load, agent_factory).run()
        finally:
            clean(plan.directory)
