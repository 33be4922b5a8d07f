"""Compares settings of a policy by training it with each: `python -m ambidex.benchmarks.design_study`.

Every combination is trained on the same data and benchmarked on the same seeds. The report has a table of rates, paired
tests of combinations that differ in one setting, and a picture. The same command resumes after an interruption.
"""

import shlex
import sys

from ambidex.benchmarks.studies.design_plan import DesignPlan, DesignStudyConfig
from ambidex.benchmarks.studies.job_runner import StudyRunner, run_study
from ambidex.command_line import print_message, run

PROGRAM = "python -m ambidex.benchmarks.design_study"
COMMAND = "design-study"


def main(config: DesignStudyConfig) -> int:
    """Run the jobs that are not done, and report everything measured so far."""
    plan = DesignPlan(config)
    return run_study(COMMAND, config, plan.jobs(), lambda runner: _report(plan, runner, config))


def _report(plan: DesignPlan, runner: StudyRunner, config: DesignStudyConfig) -> None:
    from ambidex.benchmarks.studies.design_report import design_report, write_picture  # heavy: not for --help

    command = f"{PROGRAM} {shlex.join(sys.argv[1:])}"
    report = design_report(plan, runner, command)
    report.write(config.output_dir)
    write_picture(report, config.output_dir / "rates.png")
    print(report.markdown())
    if not config.quiet:
        print_message(COMMAND, f"Written to {config.output_dir}: report.md, report.json and rates.png.")


if __name__ == "__main__":
    run(PROGRAM, main, DesignStudyConfig)
