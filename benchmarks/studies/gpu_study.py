"""Trains and benchmarks ACT at its published size on a GPU: `python -m ambidex.benchmarks.studies.gpu_study`.

docs/gpu.md describes it.
"""

import os
import shlex
import sys
from pathlib import Path

from ambidex.benchmarks.studies.gpu_config import GpuStudyConfig
from ambidex.benchmarks.studies.gpu_plan import StudyPlan
from ambidex.benchmarks.studies.job_runner import StudyRunner, run_study
from ambidex.command_line import print_message, run
from ambidex.envs.simulation.opengl import check_environment

COMMAND = "gpu-study"


def main(config: GpuStudyConfig) -> int:
    """Run the jobs that are not done, and write the report of everything measured so far."""
    check_environment()
    if config.smoke:
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # in steps this small, threads mostly wait for each other
    plan = StudyPlan(config, config.backbone_weights or _cached_weights())
    return run_study(COMMAND, config, plan.jobs(), lambda runner: _write_report(plan, runner, config))


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
