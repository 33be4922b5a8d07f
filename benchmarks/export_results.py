"""The command `export-results`, and its flags."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import tyro

from ambidex.atomic_files import json_text, write_text
from ambidex.command_line import print_message, print_result, run
from ambidex.errors import UsageError, check_name
from ambidex.flags import Names, OptionalName, OptionalPath, Switch
from ambidex.text import first_few

if TYPE_CHECKING:
    from ambidex.benchmarks.export.entries import Entry, Line

COMMAND = "export-results"
ENDINGS = {"csv": ".csv", "latex": ".tex", "markdown": ".md", "json": ".json", "png": ".png", "pdf": ".pdf"}
"""Format -> ending of its files."""
IMAGES = ("png", "pdf")
BY = ("task", "suite")


@dataclass(frozen=True, kw_only=True)
class ExportConfig:
    """Write success rates with their 95 % intervals for a paper or a leaderboard.

    Every policy is a column of the table, or a colour of the figure. Folders of one policy with different tasks, such
    as the suites of LIBERO, count as one. json has all counts, seeds, the protocol, the checkpoint and the versions,
    and the SHA-256 of the rows.
    """

    help_topics = {"Common options": "results format output by names", "Output": "quiet debug"}

    results: tyro.conf.Positional[Annotated[tuple[Path, ...], tyro.conf.arg(metavar="PATH [PATH ...]")]]
    """Results folders of run-benchmark."""
    format: Annotated[OptionalName, tyro.conf.arg(metavar="{csv,latex,markdown,json,png,pdf}")] = None
    """Format; auto follows from the name of the output file, else it is markdown."""
    output: OptionalPath = None
    """File to write; auto prints the text. png and pdf need one."""
    by: Annotated[str, tyro.conf.arg(metavar="{task,suite}")] = "task"
    """A line for each task and its suite, or for suites only."""
    names: Names = None
    """Names of the policies, in the order of their folders; auto is what run-benchmark calls them."""
    quiet: Switch = False
    """Print nothing but errors."""
    debug: Switch = False
    """Show tracebacks."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Parse the flags, export, and exit."""
    run(COMMAND, _main, ExportConfig, argv)


def _main(config: ExportConfig) -> None:
    from ambidex.benchmarks.export.entries import lines, read_entries, setting_differences  # heavy: not for --help
    from ambidex.benchmarks.export.figure import write_figure
    from ambidex.benchmarks.export.tables import caption

    chosen = _format(config)
    entries = read_entries(config.results, config.names)
    for folder in (folder for entry in entries for folder in entry.folders):
        if folder.warning:
            print_message(COMMAND, folder.warning)
    if differences := setting_differences(entries):
        print_message(COMMAND, f"Rates of different settings are not comparable. {first_few(differences)}.")
    table = lines(entries, config.by)
    if config.output is None:
        shown = _text(chosen, entries, table).rstrip("\n")
    else:
        shown = f"Written: {config.output}"
        if chosen in IMAGES:
            write_figure(config.output, entries, table, caption(entries))
        else:
            write_text(config.output, _text(chosen, entries, table))
    if not config.quiet:
        print_result(shown)


def _format(config: ExportConfig) -> str:
    """The chosen format; raises a UsageError if the flags do not fit together."""
    check_name("kind of lines", config.by, BY)
    endings = {ending: name for name, ending in ENDINGS.items()}
    suffix = config.output.suffix if config.output is not None else ENDINGS["markdown"]
    chosen = config.format or endings.get(suffix)
    if chosen is None:
        problem = f"--output {config.output}: no format has files that end in {suffix or 'nothing'}."
        raise UsageError(problem, f"Give --format, or one of {', '.join(endings)}.", got=suffix, expected=[*endings])
    check_name("format", chosen, ENDINGS)
    if chosen in IMAGES and suffix != ENDINGS[chosen]:
        problem = f"--format {chosen} needs --output with the name of a file that ends in {ENDINGS[chosen]}."
        raise UsageError(problem, field="output", got=config.output)
    return chosen


def _text(chosen: str, entries: "Sequence[Entry]", table: "Sequence[Line]") -> str:
    from ambidex.benchmarks.export.leaderboard import leaderboard
    from ambidex.benchmarks.export.tables import csv_table, latex_table, markdown_table

    if chosen == "json":
        return json_text(leaderboard(entries), "the leaderboard file", indent=2) + "\n"
    return {"csv": csv_table, "latex": latex_table, "markdown": markdown_table}[chosen](entries, table)
