"""Results as CSV, Markdown and LaTeX."""

import re
from collections.abc import Callable, Sequence

from ambidex.benchmarks.export.entries import ALL, TASK, Entry, Line
from ambidex.benchmarks.results.folder import ResultsFolder
from ambidex.benchmarks.results.row import format_episodes
from ambidex.benchmarks.results.tally import Tally
from ambidex.envs.types import EnvSpec
from ambidex.text import csv_text, first_few

COLUMNS = (
    "name", "kind", "tasks", "policy", "execution", "protocol", "episodes", "successes", "failures", "errors", "rate",
    "wilson_low", "wilson_high", "exact_low", "exact_high", "mean_steps",
)  # fmt: skip
LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


def csv_table(entries: Sequence[Entry], lines: Sequence[Line]) -> str:
    """One row for each entry and line; rates are 0 to 1."""
    rows: list[list[object]] = []
    for entry in entries:
        for line in lines:
            tally = entry.tally(line.tasks)
            if tally.n:
                info = entry.folders[0].info
                about = (entry.name, line.kind, line.name, info.policy, info.execution, info.protocol)
                counts = (tally.n, tally.successes, tally.failures, tally.errors, tally.rate)
                rows.append([*about, *counts, *tally.interval, *tally.exact_interval, tally.mean_steps])
    return csv_text(COLUMNS, rows)


def markdown_table(entries: Sequence[Entry], lines: Sequence[Line]) -> str:
    """A column for each entry, with a caption below."""
    rows = _cells(entries, lines, _markdown_text, "{:.1f} ({:.1f} to {:.1f})")
    head = ["task", "episodes", *(_markdown_text(entry.name) for entry in entries)]
    table = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join([*(f"| {' | '.join(row)} |" for row in table), "", caption(entries), ""])


def latex_table(entries: Sequence[Entry], lines: Sequence[Line]) -> str:
    r"""A tabular for the package booktabs, with the caption as a comment; lines for several tasks follow a rule."""
    rows = _cells(entries, lines, latex_text, r"{:.1f} {{\scriptsize [{:.1f}, {:.1f}]}}")
    head = ["Task", "Episodes", *(latex_text(entry.name) for entry in entries)]
    body: list[str] = []
    for line, row in zip(lines, rows, strict=True):
        body += [r"\midrule"] if line.kind != TASK and body and body[-1] != r"\midrule" else []
        body.append(" & ".join(row) + r" \\")
        body += [r"\midrule"] if line.kind not in (TASK, ALL) and line is not lines[-1] else []
    return "\n".join(
        [
            f"% {caption(entries)}",
            rf"\begin{{tabular}}{{lr{'r' * len(entries)}}}",
            r"\toprule",
            " & ".join(head) + r" \\",
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def _criterion(folder: ResultsFolder, spec: EnvSpec) -> str:
    return f"the verdict of {folder.info.verdicts} on a robot" if folder.of_robot else spec.success


def caption(entries: Sequence[Entry]) -> str:
    """What the numbers are, and from which episodes."""
    seeds = {
        format_episodes(("", row.seed) for row in entry.rows if row.task == task).strip()
        for entry in entries
        for task in entry.specs
    }
    folders = [folder for entry in entries for folder in entry.folders]
    criteria = sorted({_criterion(folder, spec) for folder in folders for spec in folder.info.env_specs.values()})
    protocols = sorted({folder.info.protocol for folder in folders} - {""})
    axes = sorted({" ".join(spec.perturb) for folder in folders for spec in folder.info.env_specs.values()} - {""})
    parts = [
        "Success rates in % with 95 % intervals (Wilson)",
        f"criterion of success {' and '.join(criteria)}",
        *([f"protocol {'; '.join(protocols)}"] if protocols else []),
        *([f"perturbed by {' or '.join(axes)}"] if axes else []),
        f"seeds {first_few(sorted(seeds - {''}), separator=' or ')}",
    ]
    return ", ".join(parts) + "."


def latex_text(text: str) -> str:
    """Text with LaTeX's special characters escaped."""
    return re.sub(r"[&%$#_{}~^\\]", lambda match: LATEX.get(match[0], "\\" + match[0]), text)


def _cells(entries: Sequence[Entry], lines: Sequence[Line], escape: Callable[[str], str], form: str) -> list[list[str]]:
    return [_row(line, [entry.tally(line.tasks) for entry in entries], escape, form) for line in lines]


def _row(line: Line, tallies: Sequence[Tally], escape: Callable[[str], str], form: str) -> list[str]:
    counts = dict.fromkeys(str(tally.n) for tally in tallies if tally.n)
    return [escape(line.name), ", ".join(counts), *(_rate(tally, form) for tally in tallies)]


def _rate(tally: Tally, form: str) -> str:
    return "--" if tally.rate is None else form.format(*(100 * value for value in (tally.rate, *tally.interval)))


def _markdown_text(text: str) -> str:
    return text.replace("|", r"\|")
