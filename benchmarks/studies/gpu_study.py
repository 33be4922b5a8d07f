"""ACT at its published size on a GPU, in one command: `python -m ambidex.benchmarks.studies.gpu_study`. See docs/gpu.md."""

import os
import shlex
import signal
import sys
import time
from pathlib import Path

from ambidex.benchmarks.studies.gpu_config import GpuStudyConfig
from ambidex.benchmarks.studies.gpu_plan import StudyJob, StudyPlan
from ambidex.benchmarks.studies.gpu_report import SpeedFigure, SuccessFigure, speed_figure, success_figure
from ambidex.benchmarks.studies.gpu_runner import StudyRunner
from ambidex.command_line import DONE, FAILED, print_message, run
from ambidex.envs.simulation.opengl import check_environment
from ambidex.output_folder import exclusive_lock

COMMAND = "gpu-study"


def main(config: GpuStudyConfig) -> int:
    """Run what is left of the study, and write the report of what there is."""
    check_environment()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever wants the machine back gets it tidy
    if config.smoke:
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads of so tiny steps wait for each other on busy machines
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
            _report(plan, runner, config)
            raise KeyboardInterrupt(f"{interrupt} Go on with the same command.") from None
        _report(plan, runner, config)
    return FAILED if runner.failed else DONE


def _report(plan: StudyPlan, runner: StudyRunner, config: GpuStudyConfig) -> None:
    from ambidex.benchmarks.studies.gpu_report import (
        StudyReport,
        describe_accelerated_machine,  # heavy: not for --help
    )

    jobs = {job.name: job for job in plan.jobs()}
    report = StudyReport(
        command=shlex.join(["python", "-m", "ambidex.benchmarks.studies.gpu_study", *sys.argv[1:]]),
        machine=describe_accelerated_machine(),
        notes=plan.notes,
        speeds=_speeds(plan, runner, jobs),
        successes=_successes(plan, runner, jobs),
        failed=runner.failed,
        missing=[name for name, job in jobs.items() if not runner.done(job) and name not in runner.failed],
    )
    report.write(config.output_dir)
    print(report.in_words())
    if not config.quiet:
        print_message(COMMAND, f"Written to {config.output_dir / 'report.md'} and report.json.")


def _cached_weights() -> Path | None:
    from ambidex.policies.vision.resnet_weights import cached_files  # heavy: not for --help

    return next(reversed(cached_files()), None)


def _speeds(plan: StudyPlan, runner: StudyRunner, jobs: dict[str, StudyJob]) -> list[SpeedFigure]:
    done = [cell for cell in plan.cells if runner.done(jobs[f"speed-{cell.name}"])]
    return [speed_figure(cell, plan.speed_folder(cell), plan.warmup) for cell in done]


def _successes(plan: StudyPlan, runner: StudyRunner, jobs: dict[str, StudyJob]) -> list[SuccessFigure]:
    """Of each seed, and of all seeds of a task together."""
    figures = []
    for variant in plan.variants:
        for task in plan.tasks:
            folders, total = [], 0.0
            for seed in plan.seeds:
                folder = plan.results_folder(variant.name, task, seed)
                if runner.done(jobs[f"benchmark-{folder.name}"]):
                    folders.append(folder)
                    seconds = runner.seconds(jobs[f"train-{folder.name}"])
                    total += seconds
                    figures.append(success_figure(variant.name, task, seed, [folder], seconds))
            if len(folders) > 1:
                figures.append(success_figure(variant.name, task, None, folders, total))
    return figures


if __name__ == "__main__":
    run(COMMAND, main, GpuStudyConfig)
