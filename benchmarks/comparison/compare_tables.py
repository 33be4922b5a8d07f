"""The tables of one comparison, a line per task and one for all."""

from collections.abc import Callable

from ambidex.benchmarks.comparison.compare_words import difference_text, e_text, p_text, points_interval
from ambidex.benchmarks.comparison.comparison import Comparison
from ambidex.benchmarks.statistics import Statistics
from ambidex.text import text_table

TOGETHER = "all tasks"

Line = tuple[str, str | None, Statistics]
"""Name, task (None for all together), statistics."""
Column = tuple[str, Callable[[Line], object]]
"""Header, and what stands in a line."""


def rates_table(comparison: Comparison) -> str:
    """Who succeeded."""
    a, b = comparison.a, comparison.b
    return _table(
        comparison,
        (f"success of {a.letter}", lambda line: _rate(line[2].counts.successes_a, line[2].interval_a, line)),
        (f"success of {b.letter}", lambda line: _rate(line[2].counts.successes_b, line[2].interval_b, line)),
        ("both", lambda line: line[2].counts.both),
        (f"only {a.letter}", lambda line: line[2].counts.only_a),
        (f"only {b.letter}", lambda line: line[2].counts.only_b),
        ("neither", lambda line: line[2].counts.neither),
        (f"errors {a.letter}, {b.letter}", lambda line: _errors(comparison, line)),
    )


def tests_table(comparison: Comparison) -> str:
    """The tests for a number of episodes that was fixed before."""
    letters = {"a": comparison.a.letter, "b": comparison.b.letter, "": "not shown"}
    return _table(
        comparison,
        (_less(comparison), lambda line: difference_text(line[2])),
        ("p", lambda line: p_text(line[2].exact_p)),
        *_if_several(comparison, ("p, Holm", lambda line: p_text(line[2].corrected_p))),
        ("better", lambda line: letters[line[2].better]),
        ("more", lambda line: "-" if line[2].better else line[2].more_pairs(line[2].pairs_needed)),
    )


def sequential_table(comparison: Comparison) -> str:
    """The test that may be looked at after every episode."""
    return _table(
        comparison,
        (_less(comparison), lambda line: points_interval(line[2].sequential.low, line[2].sequential.high)),
        ("e", lambda line: e_text(line[2].sequential.e_value)),
        ("largest e", lambda line: _largest(line[2])),
        ("p", lambda line: p_text(line[2].sequential.p_value)),
        *_if_several(comparison, ("p, Holm", lambda line: p_text(line[2].corrected_anytime_p))),
    )


def _table(comparison: Comparison, *columns: Column) -> str:
    lines: list[Line] = [(name, name, statistics) for name, statistics in comparison.tasks.items()]
    if len(lines) > 1:
        lines.append((TOGETHER, None, comparison.together))
    rows = [[line[0], *(str(cell(line)) for _, cell in columns)] for line in lines]
    return text_table(("task", *(header for header, _ in columns)), rows)


def _if_several(comparison: Comparison, column: Column) -> tuple[Column, ...]:
    several = any(statistics.tests > 1 for statistics in comparison.tasks.values())
    return (column,) if several else ()


def _less(comparison: Comparison) -> str:
    return f"{comparison.a.letter} less {comparison.b.letter} [points]"


def _rate(successes: int, interval: tuple[float, float], line: Line) -> str:
    pairs = line[2].counts.pairs
    low, high = interval
    return f"{successes}/{pairs} = {100 * successes / pairs:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


def _errors(comparison: Comparison, line: Line) -> str:
    return f"{comparison.errors(comparison.a, line[1])}, {comparison.errors(comparison.b, line[1])}"


def _largest(statistics: Statistics) -> str:
    sequential = statistics.sequential
    return f"{e_text(sequential.largest_e_value)} after {sequential.largest_after}"
