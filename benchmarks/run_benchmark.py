"""The command `run-benchmark`."""

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.command_line import DONE, FAILED, print_message, print_result, run
from ambidex.envs.simulation.opengl import check_environment

COMMAND = "run-benchmark"


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, run the benchmark and exit with its status."""
    run(COMMAND, _main, BenchmarkConfig, argv)


def _main(config: BenchmarkConfig) -> int:
    check_environment()
    from ambidex.benchmarks.evaluation.benchmark import benchmark  # heavy: not for --help
    from ambidex.benchmarks.robustness.suite import is_robustness
    from ambidex.benchmarks.take_over.folder import is_take_over_folder
    from ambidex.benchmarks.tournament.folder import is_tournament
    from ambidex.benchmarks.videos.jobs import describe_missing

    if is_tournament(config):
        return _run_tournament(config)
    if is_robustness(config):
        return _run_robustness(config)
    if config.take_over is not None or (config.resume and is_take_over_folder(config.output_dir or Path())):
        return _take_over(config)
    if config.check:
        from ambidex.benchmarks.remote.first_exchange import check_policy  # needs the extra `remote`

        check_policy(config, print_result)
        return DONE
    summary = benchmark(config)
    if not config.quiet:
        print_result(summary)
    if summary.worker_errors:
        print_message(COMMAND, summary.describe_worker_errors())
    if summary.missing_videos:
        print_message(COMMAND, describe_missing(summary.missing_videos))
    return DONE if summary.complete and not (summary.missing_videos or summary.hopeless) else FAILED


def _run_robustness(config: BenchmarkConfig) -> int:
    from ambidex.benchmarks.robustness.plot import write_files
    from ambidex.benchmarks.robustness.report import RobustnessReport
    from ambidex.benchmarks.robustness.suite import run_robustness

    folder = run_robustness(config)
    report = RobustnessReport.of(folder)
    written = write_files(report, [report], folder.path)
    if not config.quiet:
        print_result(f"{report}\n\nWritten to {written}")
    return FAILED if folder.unfinished() else DONE


def _run_tournament(config: BenchmarkConfig) -> int:
    from ambidex.benchmarks.tournament.page import write_files
    from ambidex.benchmarks.tournament.run import run_tournament

    folder, ranking = run_tournament(config)
    written = write_files(folder, ranking)
    if not config.quiet:
        print_result(f"{ranking}\n\n{written}")
    return DONE


def _take_over(config: BenchmarkConfig) -> int:
    from ambidex.benchmarks.take_over.run import take_over  # heavy

    found = take_over(config)
    if not config.quiet:
        print_result(found or f"There are no failures in {config.take_over}, so there is nothing to take over.")
    return DONE if found is None or found.complete else FAILED
