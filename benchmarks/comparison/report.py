"""The report of `compare-policies` as text: folders, tables and verdicts."""

import textwrap
from collections.abc import Callable, Sequence

from ambidex.benchmarks.comparison.comparison import Comparison
from ambidex.benchmarks.comparison.config import CompareConfig
from ambidex.benchmarks.comparison.folder import ComparedFolder
from ambidex.benchmarks.comparison.verdict import difference_text, e_text, p_text, points_interval, remarks, verdict
from ambidex.benchmarks.results.row import format_episodes
from ambidex.benchmarks.statistics.summary import PairedStatistics
from ambidex.text import text_table

WIDTH = 110
ALL_TASKS = "all tasks"
LEGEND = (
    "All intervals: 95 %, each number on its own. p: exact McNemar test, for a number of episodes fixed in advance; "
    "Holm: corrected for the other comparisons here. more: where no difference is shown, episodes of each policy still "
    "missing to detect a true difference of {points:g} points with probability {power:g}. e: evidence against equal "
    "policies, valid however often you look (20 is like p = 0.05). docs/statistics.md explains every number."
)

Line = tuple[str, str | None, PairedStatistics]
"""First cell, task (None for all together), statistics."""
Column = tuple[str, Callable[[Line], object]]
"""Header, and the cell of a line."""


def report(comparisons: Sequence[Comparison], config: CompareConfig) -> str:
    """The whole report; the verdicts come last."""
    folders = {side.letter: side for comparison in comparisons for side in (comparison.a, comparison.b)}
    parts = [_folders([folders[letter] for letter in sorted(folders)])]
    parts += [_comparison(comparison) for comparison in comparisons]
    parts += [_fill(LEGEND.format(points=100 * config.difference, power=config.power))]
    parts += [_remarks(comparison, config) for comparison in comparisons]
    parts += ["\n".join(_fill(verdict(comparison)) for comparison in comparisons)]
    return "\n\n".join(filter(None, parts))


def _folders(folders: Sequence[ComparedFolder]) -> str:
    rows = [[f.letter, str(f.path), f.policy, str(len(f.rows)), str(f.tally.errors)] for f in folders]
    table = text_table(("", "folder", "policy", "episodes", "errors"), rows)
    return "\n".join([table, *(_fill(note) for folder in folders for note in folder.notes)])


def _comparison(comparison: Comparison) -> str:
    a, b = comparison.a.letter, comparison.b.letter
    parts = [
        f"{a} and {b}: {len(comparison.episodes)} episodes with the same initial states",
        _rates_table(comparison),
        f"If the number of episodes was fixed in advance\n{_tests_table(comparison)}",
        f"If you looked at results during the run\n{_sequential_table(comparison)}",
        "\n".join(map(_fill, _notes(comparison))),
    ]
    return "\n\n".join(filter(None, parts))


def _notes(comparison: Comparison) -> list[str]:
    sides = ((comparison.a, comparison.only_in_a), (comparison.b, comparison.only_in_b))
    left_out = [f"Not compared, only in {side.letter}: {format_episodes(keys)}." for side, keys in sides if keys]
    versions = comparison.version_differences
    return [*left_out, *([f"Versions differ: {'; '.join(versions)}."] if versions else [])]


def _remarks(comparison: Comparison, config: CompareConfig) -> str:
    text = remarks(comparison, config)
    return _fill(f"{comparison.a.letter} and {comparison.b.letter}: {text}") if text else ""


def _fill(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _rates_table(comparison: Comparison) -> str:
    a, b = comparison.a, comparison.b
    return _table(
        comparison,
        (f"success of {a.letter}", lambda line: _rate(line[2].counts.successes_a, line[2].interval_a, line)),
        (f"success of {b.letter}", lambda line: _rate(line[2].counts.successes_b, line[2].interval_b, line)),
        ("both", lambda line: line[2].counts.both),
        (f"only {a.letter}", lambda line: line[2].counts.only_a),
        (f"only {b.letter}", lambda line: line[2].counts.only_b),
        ("neither", lambda line: line[2].counts.neither),
        (
            f"errors {a.letter}, {b.letter}",
            lambda line: ", ".join(str(comparison.tally(side, line[1]).errors) for side in (a, b)),
        ),
    )


def _tests_table(comparison: Comparison) -> str:
    letters = {"a": comparison.a.letter, "b": comparison.b.letter, "": "not shown"}
    return _table(
        comparison,
        (_difference_header(comparison), lambda line: difference_text(line[2])),
        ("p", lambda line: p_text(line[2].exact_p)),
        *_if_several(comparison, ("p, Holm", lambda line: p_text(line[2].corrected_p))),
        ("better", lambda line: letters[line[2].better]),
        ("more", lambda line: "-" if line[2].better else line[2].more_pairs(line[2].pairs_needed)),
    )


def _sequential_table(comparison: Comparison) -> str:
    return _table(
        comparison,
        (_difference_header(comparison), lambda line: points_interval(line[2].sequential.low, line[2].sequential.high)),
        ("e", lambda line: e_text(line[2].sequential.e_value)),
        ("largest e", lambda line: _largest_e(line[2])),
        ("p", lambda line: p_text(line[2].sequential.p_value)),
        *_if_several(comparison, ("p, Holm", lambda line: p_text(line[2].corrected_anytime_p))),
    )


def _table(comparison: Comparison, *columns: Column) -> str:
    """A line per task and one for all."""
    lines: list[Line] = [(name, name, statistics) for name, statistics in comparison.tasks.items()]
    if len(lines) > 1:
        lines.append((ALL_TASKS, None, comparison.together))
    rows = [[line[0], *(str(cell(line)) for _, cell in columns)] for line in lines]
    return text_table(("task", *(header for header, _ in columns)), rows)


def _if_several(comparison: Comparison, column: Column) -> tuple[Column, ...]:
    several = any(statistics.tests > 1 for statistics in comparison.tasks.values())
    return (column,) if several else ()


def _difference_header(comparison: Comparison) -> str:
    return f"{comparison.a.letter} minus {comparison.b.letter} [points]"


def _rate(successes: int, interval: tuple[float, float], line: Line) -> str:
    pairs = line[2].counts.pairs
    low, high = interval
    return f"{successes}/{pairs} = {100 * successes / pairs:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


def _largest_e(statistics: PairedStatistics) -> str:
    sequential = statistics.sequential
    return f"{e_text(sequential.largest_e_value)} after {sequential.largest_after}"
