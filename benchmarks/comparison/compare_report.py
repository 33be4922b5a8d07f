"""The report of `compare-policies`."""

import textwrap
from collections.abc import Sequence

from ambidex.benchmarks.comparison.compare_config import CompareConfig
from ambidex.benchmarks.comparison.compare_tables import rates_table, sequential_table, tests_table
from ambidex.benchmarks.comparison.compare_words import remarks, verdict
from ambidex.benchmarks.comparison.compared_folder import ComparedFolder
from ambidex.benchmarks.comparison.comparison import Comparison
from ambidex.benchmarks.seed_ranges import in_ranges
from ambidex.text import text_table

WIDTH = 110
LEGEND = (
    "All intervals: 95 %, of each number on its own. p: exact McNemar test, for a number of episodes fixed before; "
    "Holm: corrected for the other comparisons here. more: where no difference is shown, episodes of each policy still "
    "missing to detect a true one of {points:g} points with probability {power:g}. e: evidence against no difference, "
    "which stays valid however often one looks (20 is like p = 0.05). docs/statistics.md explains every number."
)


def report(comparisons: Sequence[Comparison], config: CompareConfig) -> str:
    """Folders, tables, what is to be added, and at the end the verdicts, as text."""
    folders = {side.letter: side for comparison in comparisons for side in (comparison.a, comparison.b)}
    parts = [_folders([folders[letter] for letter in sorted(folders)])]
    parts += [_comparison(comparison) for comparison in comparisons]
    parts += [_fill(LEGEND.format(points=100 * config.difference, power=config.power))]
    parts += [_remarks_on(comparison, config) for comparison in comparisons]
    parts += ["\n".join(_fill(verdict(comparison)) for comparison in comparisons)]
    return "\n\n".join(filter(None, parts))


def _remarks_on(comparison: Comparison, config: CompareConfig) -> str:
    words = remarks(comparison, config)
    return _fill(f"{comparison.a.letter} and {comparison.b.letter}: {words}") if words else ""


def _folders(folders: Sequence[ComparedFolder]) -> str:
    rows = [[f.letter, str(f.path), f.policy, str(len(f.rows)), str(f.errors)] for f in folders]
    table = text_table(("", "folder", "policy", "episodes", "errors"), rows)
    return "\n".join([table, *(_fill(note) for folder in folders for note in folder.notes)])


def _comparison(comparison: Comparison) -> str:
    a, b = comparison.a.letter, comparison.b.letter
    parts = [
        f"{a} and {b}: {len(comparison.episodes)} episodes that began alike",
        rates_table(comparison),
        f"If the number of episodes was fixed before\n{tests_table(comparison)}",
        f"If you looked on the way\n{sequential_table(comparison)}",
        "\n".join(map(_fill, _remarks(comparison))),
    ]
    return "\n\n".join(filter(None, parts))


def _remarks(comparison: Comparison) -> list[str]:
    sides = ((comparison.a, comparison.only_in_a), (comparison.b, comparison.only_in_b))
    left_out = [f"Not compared, only in {side.letter}: {in_ranges(list(keys))}." for side, keys in sides if keys]
    versions = comparison.version_differences
    return [*left_out, *([f"Versions differ: {'; '.join(versions)}."] if versions else [])]


def _fill(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)
