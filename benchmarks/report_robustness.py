"""The command `report-robustness`, and its flags."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import tyro

from ambidex.command_line import print_result, run
from ambidex.errors import UsageError
from ambidex.flags import OptionalPath, Switch

COMMAND = "report-robustness"


@dataclass(frozen=True, kw_only=True)
class ReportRobustnessConfig:
    """Report how much a policy loses on each axis of perturbation, or how two policies differ in what they lose.

    Every perturbed episode is compared with the clean one of the same seed. report.md, report.json, report.csv, for one
    folder stages.csv, and the figure robustness.png, .svg and .pdf are written into the folder.
    """

    help_topics = {"Common options": "results output_dir", "Output": "quiet debug"}

    results: tyro.conf.Positional[Annotated[tuple[Path, ...], tyro.conf.arg(metavar="PATH [PATH]")]]
    """One or two folders of run-benchmark --suite robustness."""
    output_dir: OptionalPath = None
    """Where to write; auto is the first folder for one, and required for two."""
    quiet: Switch = False
    """Print nothing but errors."""
    debug: Switch = False
    """Show tracebacks."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, write the report and exit with the command's status."""
    run(COMMAND, _main, ReportRobustnessConfig, argv)


def _main(config: ReportRobustnessConfig) -> None:
    from ambidex.benchmarks.robustness.difference import RobustnessDifference  # heavy: not for --help
    from ambidex.benchmarks.robustness.folder import RobustnessFolder
    from ambidex.benchmarks.robustness.plot import write_files
    from ambidex.benchmarks.robustness.report import RobustnessReport

    count = len(config.results)
    if count not in (1, 2) or (count == 2 and config.output_dir is None):
        problem = f"Expected one folder, or two and --output-dir; got {count} folders."
        raise UsageError(problem, f"Write {COMMAND} results/A results/B --output-dir results/A-B.", got=config.results)
    reports = [RobustnessReport.of(RobustnessFolder.open(path)) for path in config.results]
    report = reports[0] if count == 1 else RobustnessDifference.of(*reports)
    written = write_files(report, reports, config.output_dir or config.results[0])
    if not config.quiet:
        print_result(f"{report}\n\nWritten to {written}")
