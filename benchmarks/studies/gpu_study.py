"""Trains and benchmarks ACT at its published size on a GPU: `python -m ambidex.benchmarks.studies.gpu_study`.

docs/gpu.md describes it.
"""

import os
import shlex
import signal
import sys
import time
from pathlib import Path

from ambidex.benchmarks.studies.gpu_config import GpuStudyConfig
from ambidex.benchmarks.studies.gpu_plan import StudyPlan
from ambidex.benchmarks.studies.gpu_runner import StudyRunner
from ambidex.command_line import DONE, FAILED, print_message, run
from ambidex.envs.simulation.opengl import check_environment
from ambidex.output_folder import exclusive_lock

COMMAND = "gpu-study"


def main(config: GpuStudyConfig) -> int:
    """Run the jobs that are not done, and write the report of everything measured so far."""
    check_environment()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that a machine that is taken back is left tidy
    if config.smoke:
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # in steps this small, threads mostly wait for each other
    started = time.monotonic()
    plan = StudyPlan(config, config.backbone_weights or _cached_weights())
    deadline = None if config.minutes is None else started + 60 * config.minutes
    with exclusive_lock(config.output_dir):
        runner = StudyRunner(
            config.output_dir, deadline, lambda text: None if config.quiet else print_message(COMMAND, text)
        )
        try:
            runner.run(plan.jobs())
        except KeyboardInterrupt as interrupt:
            _write_report(plan, runner, config)
            raise KeyboardInterrupt(f"{interrupt} Run the same command again to resume.") from None
        _write_report(plan, runner, config)
    return FAILED if runner.failed else DONE


def _cached_weights() -> Path | None:
    from ambidex.policies.vision.resnet_weights import cached_files  # imports torch, which --help does not need

    return next(reversed(cached_files()), None)


def _write_report(plan: StudyPlan, runner: StudyRunner, config: GpuStudyConfig) -> None:
    from ambidex.benchmarks.studies.gpu_report import study_report  # imports torch, which --help does not need

    command = shlex.join(["python", "-m", "ambidex.benchmarks.studies.gpu_study", *sys.argv[1:]])
    report = study_report(plan, runner, command)
    report.write(config.output_dir)
    print(report.markdown())
    if not config.quiet:
        print_message(COMMAND, f"Written to {config.output_dir / 'report.md'} and report.json.")


if __name__ == "__main__":
    run(COMMAND, main, GpuStudyConfig)
