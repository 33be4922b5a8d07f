"""Compares settings of a policy by training it with each: `python -m ambidex.benchmarks.design_study`.

Every combination is trained on the same data and benchmarked on the same seeds. The report has a table of rates, paired
tests of combinations that differ in one setting, and a picture. The same command resumes after an interruption.
"""

import shlex
import signal
import sys
import time

from ambidex.benchmarks.studies.design_plan import DesignPlan, DesignStudyConfig
from ambidex.benchmarks.studies.gpu_runner import StudyRunner
from ambidex.command_line import DONE, FAILED, print_message, run
from ambidex.output_folder import exclusive_lock

COMMAND = "design-study"


def main(config: DesignStudyConfig) -> int:
    """Run the jobs that are not done, and report everything measured so far."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()
    plan = DesignPlan(config)
    deadline = None if config.minutes is None else started + 60 * config.minutes
    with exclusive_lock(config.output_dir):
        runner = StudyRunner(
            config.output_dir, deadline, lambda text: None if config.quiet else print_message(COMMAND, text)
        )
        try:
            runner.run(plan.jobs())
        except KeyboardInterrupt as interrupt:
            _report(plan, runner, config)
            raise KeyboardInterrupt(f"{interrupt} Run the same command again to resume.") from None
        _report(plan, runner, config)
    return FAILED if runner.failed else DONE


def _report(plan: DesignPlan, runner: StudyRunner, config: DesignStudyConfig) -> None:
    from ambidex.benchmarks.studies.design_report import design_report, write_picture  # heavy: not for --help

    command = shlex.join(["python", "-m", "ambidex.benchmarks.design_study", *sys.argv[1:]])
    report = design_report(plan, runner, command)
    report.write(config.output_dir)
    write_picture(report, config.output_dir / "rates.png")
    print(report.markdown())
    if not config.quiet:
        print_message(COMMAND, f"Written to {config.output_dir}: report.md, report.json and rates.png.")


if __name__ == "__main__":
    run(COMMAND, main, DesignStudyConfig)
